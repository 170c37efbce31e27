package balancer_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fargo/desired"
)

// clients is how many connections the benchmark keeps busy.
const clients = 64

// BenchmarkALB passes small requests through an application load balancer on 64
// connections, and the same straight to the target for comparison. Both
// include what client and target need of the same cores.
func BenchmarkALB(b *testing.B) {
	target := tinyServer(b)
	h := newSystem(b)
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", target)})
	h.healthy(1)
	b.Run("direct", func(b *testing.B) { hammer(b, target) })
	b.Run("balanced", func(b *testing.B) { hammer(b, h.addr(80)) })
}

const tinyAnswer = "HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nhello, world\n"

// tinyServer answers every request with the same bytes, at the least cost.
func tinyServer(tb testing.TB) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buffer := make([]byte, 4<<10)
				for {
					n, err := c.Read(buffer)
					if err != nil {
						return
					}
					if string(buffer[max(0, n-4):n]) == "\r\n\r\n" {
						io.WriteString(c, tinyAnswer)
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// hammer sends b.N requests on all connections together.
func hammer(b *testing.B, address string) {
	times := make([][]time.Duration, clients)
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	conns := make([]net.Conn, clients)
	for i := range conns {
		conns[i] = dial(b, address)
		conns[i].SetDeadline(time.Time{})
	}
	b.ResetTimer()
	for i, c := range conns {
		all.Go(func() {
			in := bufio.NewReader(c)
			request := []byte(fmt.Sprintf("GET /hello?n=1 HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n", address))
			for left.Add(-1) >= 0 {
				began := time.Now()
				c.Write(request)
				r, err := http.ReadResponse(in, nil)
				if err != nil || r.StatusCode != 200 {
					b.Errorf("%v %v", r, err)
					return
				}
				io.Copy(io.Discard, r.Body)
				times[i] = append(times[i], time.Since(began))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	sorted := slices.Sorted(slices.Values(slices.Concat(times...)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds()), "p99-µs")
}
