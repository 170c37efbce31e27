package health

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/balancer/http2"
	"fargo/balancer/proxyprotocol"
	"fargo/balancer/settings"
	"fargo/desired"
)

// check says how the targets of a group are checked.
type check struct {
	enabled  bool
	protocol elbv2.ProtocolEnum // HTTP, HTTPS, TCP or TLS
	version  string             // HTTP1, HTTP2 or GRPC
	port     uint16             // 0 means the port that gets the traffic
	path     string
	interval time.Duration
	timeout  time.Duration
	matcher  codes
	// proxied says that connections begin with a header of the PROXY protocol.
	proxied bool
	thresholds
}

// readCheck reads a group's health check. Defaults are those of the API, for
// groups that were not made by it.
func readCheck(d *desired.BalancerGroup, pace fargo.Pace) (check, error) {
	group, g := settings.ReadGroup(d, pace), &d.Group
	version := group.Version
	c := check{
		enabled:  aws.ValueOr(g.HealthCheckEnabled, true),
		protocol: g.HealthCheckProtocol,
		version:  version,
		path:     aws.Value(g.HealthCheckPath),
		proxied:  group.ProxyProtocol(),
		interval: pace.Of(time.Duration(aws.ValueOr(g.HealthCheckIntervalSeconds, 30)) * time.Second),
		timeout:  time.Duration(aws.ValueOr(g.HealthCheckTimeoutSeconds, 5)) * time.Second,
		thresholds: thresholds{
			healthy:   int(aws.ValueOr(g.HealthyThresholdCount, 5)),
			unhealthy: int(aws.ValueOr(g.UnhealthyThresholdCount, 2)),
		},
	}
	if !group.TerminatesUnhealthy() {
		c.drain = pace.Of(group.Attributes.Seconds("target_health_state.unhealthy.draining_interval_seconds", 0))
	}
	if port := aws.Value(g.HealthCheckPort); port != "" && port != "traffic-port" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return c, err
		}
		c.port = uint16(n)
	}
	if c.protocol == "" {
		c.protocol = elbv2.ProtocolEnumHttp
	}
	matcher := "200"
	if m := g.Matcher; m != nil {
		matcher = aws.Value(m.HttpCode)
		if version == settings.VersionGRPC {
			matcher = aws.Value(m.GrpcCode)
		}
	} else if version == settings.VersionGRPC {
		matcher = "12"
	}
	var err error
	if c.protocol == elbv2.ProtocolEnumHttp || c.protocol == elbv2.ProtocolEnumHttps {
		c.matcher, err = parseCodes(matcher)
	}
	return c, err
}

// probe checks a target once, from an interface.
func (c *check) probe(ctx context.Context, network Dialer, interfaceID string, target netip.AddrPort) result {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if c.port != 0 {
		target = netip.AddrPortFrom(target.Addr(), c.port)
	}
	var connected atomic.Bool
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := network.Dial(ctx, interfaceID, "tcp", target.String())
		connected.Store(err == nil)
		if err == nil && c.proxied {
			_, err = conn.Write([]byte(proxyprotocol.Local))
		}
		return conn, err
	}
	var found result
	var err error
	switch c.protocol {
	case elbv2.ProtocolEnumHttp, elbv2.ProtocolEnumHttps:
		found, err = c.request(ctx, dial, target)
	default:
		var conn net.Conn
		if conn, err = dial(ctx, "", ""); err == nil {
			conn.Close()
		}
	}
	switch {
	case err == nil:
		return found
	case !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
		return result{failed, "", causeOf(err)}
	case connected.Load():
		return result{timedOut, "", causeRequestTimedOut}
	}
	return result{timedOut, "", causeConnectionTimedOut}
}

// request sends a request of HTTP or gRPC, on a connection of its own.
func (c *check) request(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), target netip.AddrPort) (result, error) {
	transport := &http.Transport{
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true}, // as ALB: targets' certificates are not verified
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 32 << 10,
		Protocols:              new(http.Protocols),
	}
	defer transport.CloseIdleConnections()
	scheme := "http"
	if c.protocol == elbv2.ProtocolEnumHttps {
		scheme = "https"
	}
	if c.version == settings.VersionHTTP1 {
		transport.Protocols.SetHTTP1(true)
	} else {
		http2.Configure(transport, dial)
	}
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if c.version == settings.VersionGRPC {
		method, body = http.MethodPost, bytes.NewReader(make([]byte, 5)) // one empty message
	}
	r, err := http.NewRequestWithContext(ctx, method, scheme+"://"+target.String()+c.path, body)
	if err != nil {
		return result{}, err
	}
	r.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	if c.version == settings.VersionGRPC {
		r.Header.Set("Content-Type", "application/grpc")
		r.Header.Set("Te", "trailers")
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return result{}, err
	}
	defer answer.Body.Close()
	code := answer.StatusCode
	if c.version == settings.VersionGRPC {
		if code, err = grpcStatus(answer); err != nil {
			return result{}, err
		}
	}
	return c.answered(code), nil
}

// errNoStatus says that an answer does not tell how a call of gRPC ended.
var errNoStatus = errors.New("no gRPC status")

// grpcStatus is the status of a call, which is in its trailers, or in the
// header of an answer without a body.
func grpcStatus(answer *http.Response) (int, error) {
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, err
	}
	status := answer.Trailer.Get("Grpc-Status")
	if status == "" {
		status = answer.Header.Get("Grpc-Status")
	}
	code, err := strconv.Atoi(status)
	if err != nil {
		return 0, errNoStatus
	}
	return code, nil
}
