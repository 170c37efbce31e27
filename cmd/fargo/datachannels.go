package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/net/netutil"

	"fargo/ecsexec"
)

// anyPort is a free port, of the node's choice, at the host that an address is on.
func anyPort(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, "0")
}

// listenDataChannels listens where clients open data channels. A port of the node's own
// choice is the one that it had before, where that is free: clients come back to it. Nil,
// with the reason logged, when nothing can be had: the node does all else without.
func (m *machine) listenDataChannels(ctx context.Context) net.Listener {
	host, port, err := net.SplitHostPort(m.flags.DataChannels)
	if err != nil {
		return nil // a teardown, or a node that was started by hand
	}
	listen := func(port string) (net.Listener, error) {
		return new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	}
	kept := filepath.Join(m.inst.ExecDir(), "port")
	var l net.Listener
	if before, readErr := os.ReadFile(kept); port == "0" && readErr == nil {
		l, _ = listen(strings.TrimSpace(string(before))) // another may have it by now
	}
	if l == nil {
		l, err = listen(port)
	}
	if err == nil {
		_, port, _ = net.SplitHostPort(l.Addr().String())
		err = errors.Join(os.MkdirAll(m.inst.ExecDir(), 0o700), os.WriteFile(kept, []byte(port+"\n"), 0o600))
	}
	if err != nil {
		m.log.Error("there are no data channels for ECS Exec, or at another port after a restart", "at", m.flags.DataChannels, "err", err)
	}
	return l
}

// maxDataChannels are open at once; further ones wait to be accepted.
const maxDataChannels = 1024

// dataChannels is where clients open data channels.
func dataChannels(commands *ecsexec.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /v1/data-channel/{session}", commands)
	return mux
}

// serveDataChannels opens data channels until ctx ends. Their connections end with it.
func serveDataChannels(ctx context.Context, l net.Listener, channels http.Handler, log *slog.Logger) error {
	if l == nil {
		<-ctx.Done()
		return nil
	}
	server := newHTTPServer(channels, log)
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(netutil.LimitListener(l, maxDataChannels)) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return errors.Join(server.Close(), unlessClosed(<-ended))
	}
}

func unlessClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
