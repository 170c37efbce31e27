"""Answers for the aws command: each command runs in a fork of a process that has loaded it.

Python imports this file at its start. Where AWS_PRELOAD names a socket, the process that
was to be one command waits there for many, until its standard input ends.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback

SERVICES = "ec2", "ecr", "ecs", "elbv2", "iam", "logs", "sts"


def load():
    """Loads the client, and the models of services for all sessions to come."""
    import awscli.clidriver
    import botocore.session

    session = awscli.clidriver.create_clidriver().session
    loader = session.get_component("data_loader")
    for service in SERVICES:
        session.get_service_model(service)
        for kind in "endpoint-rule-set-1", "paginators-1", "waiters-2":
            if service in loader.list_available_services(kind):
                loader.load_service_model(service, kind)
    botocore.session.create_loader = lambda *_: loader
    gc.freeze()
    return awscli.clidriver.main


def receive(connection):
    """Gives what a connection asks for, and its files; nothing if it has asked for nothing."""
    message, files, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while message and not message.endswith(b"\n"):
        message += connection.recv(1 << 20)
    if not message:
        os._exit(0)
    return json.loads(message), files


def end_with(connection):
    """Ends when who has asked does."""
    connection.recv(1)
    os._exit(255)


def run(main, connection):
    """Runs the command that a connection asks for, and answers its exit status."""
    status = 255
    try:
        request, files = receive(connection)
        threading.Thread(target=end_with, args=(connection,), daemon=True).start()
        for n, file in enumerate(files):
            os.dup2(file, n)
            os.close(file)
        os.chdir(request["directory"])
        os.environ.clear()
        os.environ.update(v.split("=", 1) for v in request["environment"])
        sys.argv = ["aws", *request["arguments"]]
        status = main()
    except SystemExit as e:
        status = e.code or 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([status]))
    os._exit(status)


def serve(path):
    main = load()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            run(main, connection)
        connection.close()


if path := os.environ.pop("AWS_PRELOAD", None):
    serve(path)
