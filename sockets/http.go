package sockets

import (
	"net"
	"net/http"
)

// ServeHTTP serves at l until stop is called, which closes the connections too: they would
// keep a namespace that is to go. That it ended for another reason is not told: the set
// finds a socket that broke.
func ServeHTTP(l net.Listener, server *http.Server) (stop func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	return func() {
		_ = server.Close()
		_ = l.Close() // also when Serve has not begun
		<-ended
	}
}
