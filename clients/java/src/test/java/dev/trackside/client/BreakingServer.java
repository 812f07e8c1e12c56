package dev.trackside.client;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.concurrent.Semaphore;

/** Speaks just enough HTTP/2 to break every call once its request has arrived. */
final class BreakingServer implements AutoCloseable {
    private static final int PREFACE = 24;
    private static final int DATA = 0;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int END_STREAM = 1;
    private static final int INTERNAL_ERROR = 2;

    final String target;
    private final boolean reset;
    private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final Semaphore calls = new Semaphore(0);

    /** Resets the call's stream, or closes the connection. */
    BreakingServer(boolean reset) throws IOException {
        this.reset = reset;
        target = "127.0.0.1:" + listener.getLocalPort();
        var thread = new Thread(this::serve);
        thread.setDaemon(true);
        thread.start();
    }

    void awaitCalls(int count) throws InterruptedException {
        calls.acquire(count);
    }

    private void serve() {
        try {
            while (true) {
                try (var connection = listener.accept()) {
                    breakCalls(connection);
                } catch (EOFException gone) {
                    continue; // the client's next connection
                }
            }
        } catch (SocketException closed) {
            return;
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private void breakCalls(Socket connection) throws IOException {
        var in = new DataInputStream(connection.getInputStream());
        in.skipNBytes(PREFACE);
        connection.getOutputStream().write(frame(SETTINGS, 0, 0).array());
        while (true) {
            int start = in.readInt(); // 24 bits of length, then the type
            int flags = in.readUnsignedByte();
            int stream = in.readInt();
            in.skipNBytes(start >>> 8);
            if ((start & 0xff) == DATA && (flags & END_STREAM) != 0) {
                calls.release();
                if (!reset) {
                    return;
                }
                connection.getOutputStream().write(frame(RST_STREAM, stream, 4).putInt(INTERNAL_ERROR).array());
            }
        }
    }

    private static ByteBuffer frame(int type, int stream, int length) {
        return ByteBuffer.allocate(9 + length).putInt(length << 8 | type).put((byte) 0).putInt(stream);
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
