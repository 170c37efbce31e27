package dns

import (
	"context"
	"net"
	"time"

	"github.com/miekg/dns"
)

// idle is how long a TCP connection may be silent. Source: RFC 7766, 6.2.3.
const idle = 10 * time.Second

// listen answers at an endpoint until stop is called. stop cancels the queries under
// way and returns when the socket is closed.
func (s *Server) listen(ctx context.Context, e endpoint) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	server := &dns.Server{
		UDPSize:     datagram,
		ReadTimeout: idle,
		IdleTimeout: func() time.Duration { return idle },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, msg *dns.Msg) {
			answer := s.resolve(ctx, e.vpc, msg)
			fit(answer, msg, e.tcp)
			if err := w.WriteMsg(answer); err != nil {
				s.cfg.Logger.Debug("answer not sent", "to", w.RemoteAddr(), "err", err)
			}
		}),
	}
	if e.tcp {
		server.Listener, err = s.cfg.Network.ListenTCP(e.vpc, e.addr)
	} else {
		var c *net.UDPConn
		c, err = s.cfg.Network.ListenUDP(e.vpc, e.addr)
		server.PacketConn = c
	}
	if err != nil {
		cancel()
		return nil, err
	}
	begun, ended := make(chan struct{}), make(chan struct{})
	server.NotifyStartedFunc = func() { close(begun) }
	go func() {
		defer close(ended)
		_ = server.ActivateAndServe() // the set of sockets finds one that broke
	}()
	return func() {
		cancel()
		select {
		case <-begun: // only then can it be shut down
			_ = server.Shutdown()
		case <-ended:
		}
		<-ended
	}, nil
}
