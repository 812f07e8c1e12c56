-- Sends POST requests with events of their own: wrk -s load.lua URL -- PATH EVENTS_A_REQUEST BYTES_AN_EVENT RUN
-- Every messageId is new; a repeated one would be a duplicate, and cost nothing. So is every timestamp.
local threads = 0

local second, clock

-- The rest of a messageId, and a timestamp.
function stamped(number)
  local seconds = math.floor(number / 1000)
  if seconds ~= second then
    second, clock = seconds, os.date("!%H:%M:%S", seconds)
  end
  return string.format('%02d%010d","timestamp":"2026-11-23T%s.%03dZ"', thread or 0, number, clock, number % 1000)
end

function setup(thread)
  threads = threads + 1
  thread:set("thread", threads)
end

function init(arguments)
  path, events, bytes, run = arguments[1], tonumber(arguments[2]), tonumber(arguments[3]), arguments[4]
  sent = 0
  local head = '{"userId":"user-12345","anonymousId":"cf09e649-fd0b-46b6-9fc1-53ab9cd05c47","type":"track",'
    .. '"event":"Order Completed","sentAt":"2026-11-23T08:00:01.456Z",'
    .. '"integrations":{"All":true},"context":{"library":{"name":"analytics.js","version":"2.11.1"},'
    .. '"page":{"path":"/academy/","title":"Academy","url":"https://example.com/academy/"},"locale":"en-US"},'
    .. '"properties":{"orderId":"50314b8e9bcf","total":27.5,"products":[{"sku":"45790-32","price":19}],"note":"'
  if bytes < 500 then
    head = '{"userId":"user-12345","type":"track","event":"Order Completed","properties":{"note":"'
  end
  local tail = '"},"messageId":"'
  local fixed = #head + #tail + #run + #stamped(0) + 2
  event = head .. string.rep("x", math.max(0, bytes - fixed)) .. tail .. run
  headers = {["Authorization"] = "Basic YmVuY2g6", ["Content-Type"] = "application/json"}
end

local function one()
  sent = sent + 1
  return event .. stamped(sent) .. "}"
end

function request()
  if path == "/" then
    return wrk.format("POST", path, headers, "")
  end
  if path ~= "/v1/batch" then
    return wrk.format("POST", path, headers, one())
  end
  local parts = {}
  for i = 1, events do parts[i] = one() end
  return wrk.format("POST", path, headers, '{"batch":[' .. table.concat(parts, ",") .. "]}")
end

function done(summary, latency)
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "p999": %.3f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    latency:percentile(99.9) / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
