"""A TCP device that takes one connection, and closes any further one at once, as real ones do.

Says on its output:
  listening PORT
  connected          for each connection that it takes
  refused            for each further one
"""

import socket
import threading


def serve(answer_all):
    """Calls `answer_all(connection)` for one connection at a time, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    print("listening", listener.getsockname()[1], flush=True)
    free = threading.Semaphore()
    while True:
        connection, _ = listener.accept()
        if not free.acquire(blocking=False):
            print("refused", flush=True)
            connection.close()
            continue
        print("connected", flush=True)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=run, args=(answer_all, connection, free), daemon=True).start()


def run(answer_all, connection, free):
    try:
        answer_all(connection)
    except (ConnectionError, EOFError):
        pass
    finally:
        connection.close()
        free.release()


def receive_exactly(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
