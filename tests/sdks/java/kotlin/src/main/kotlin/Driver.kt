import com.segment.analytics.kotlin.core.Analytics
import com.segment.analytics.kotlin.core.BaseEvent
import com.segment.analytics.kotlin.core.Configuration
import com.segment.analytics.kotlin.core.CoroutineConfiguration
import com.segment.analytics.kotlin.core.EnrichmentClosure
import com.segment.analytics.kotlin.core.RequestFactory
import com.segment.analytics.kotlin.core.UserInfo
import com.segment.analytics.kotlin.core.platform.Plugin
import com.segment.analytics.kotlin.core.utilities.InMemoryStorageProvider
import java.net.HttpURLConnection
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import kotlin.concurrent.fixedRateTimer
import kotlin.system.exitProcess
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import sovran.kotlin.Store

/** The SDK speaks HTTPS alone; a proxy without a certificate needs this, which its configuration allows. */
object PlainHttp : RequestFactory() {
    override fun openConnection(url: String): HttpURLConnection =
        super.openConnection(url.replaceFirst("https://", "http://"))
}

/**
 * Keeps the order of what the SDK tells itself. In its own pool, where the machine is busy, "started" may be overtaken by
 * "not yet", and then it waits for ever.
 */
object OneThread : CoroutineConfiguration {
    override val store = Store()
    override val analyticsScope = CoroutineScope(SupervisorJob())
    override val analyticsDispatcher = Executors.newSingleThreadExecutor().asCoroutineDispatcher()
    override val networkIODispatcher = Executors.newSingleThreadExecutor().asCoroutineDispatcher()
    override val fileIODispatcher = Executors.newFixedThreadPool(2).asCoroutineDispatcher()
}

/** Makes the calls on standard input with analytics-kotlin. It runs as an app does, until standard input ends. */
fun main() {
    val scenario = Json.parseToJsonElement(readln()).jsonObject
    val host = scenario.getValue("host").jsonPrimitive.content.removePrefix("http://") + "/v1"
    val calls = scenario.getValue("calls").jsonArray.map { it.jsonObject }
    val configuration = Configuration(
        writeKey = scenario.getValue("writeKey").jsonPrimitive.content,
        apiHost = host,
        cdnHost = host,
        application = "driver",
        storageProvider = InMemoryStorageProvider(),
        requestFactory = PlainHttp,
    )
    scenario.getValue("batchSize").jsonPrimitive.takeIf { it.content != "null" }?.let { configuration.flushAt = it.int }
    val analytics = object : Analytics(configuration, OneThread) {}
    // A call is lost while the SDK does not know its user yet, which it reads in a thread of its own.
    while (runBlocking { analytics.store.currentState(UserInfo::class) } == null) Thread.sleep(10)
    val stored = Stored(calls.size)
    analytics.add(stored)
    calls.forEach { analytics.make(it) }
    stored.pending.await()
    // A flush makes batches of what is stored and tries each once. The SDK's own come every 30 seconds.
    fixedRateTimer(period = 1000) { analytics.flush() }
    readlnOrNull()
    exitProcess(0)
}

/** Counts the events that have gone all the way through the SDK to its store. */
class Stored(events: Int) : Plugin {
    override val type = Plugin.Type.After
    override lateinit var analytics: Analytics
    val pending = CountDownLatch(events)

    override fun execute(event: BaseEvent): BaseEvent = event.also { pending.countDown() }
}

fun Analytics.make(call: JsonObject) {
    fun text(name: String) = (call.getValue(name) as JsonPrimitive).content
    fun members(name: String) = call[name] as? JsonObject ?: JsonObject(emptyMap())
    val enrich: EnrichmentClosure = { event ->
        event?.apply {
            context = JsonObject(context + members("context"))
            integrations = JsonObject(integrations + members("integrations"))
        }
    }
    when (text("call")) {
        "identify" -> identify(text("userId"), members("traits"), enrich)
        "track" -> track(text("event"), members("properties"), enrich)
        "screen" -> screen(text("name"), members("properties"), "", enrich)
        "group" -> group(text("groupId"), members("traits"), enrich)
        "alias" -> alias(text("userId"), enrich)
    }
}
