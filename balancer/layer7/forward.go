package layer7

import (
	"context"
	"net/http"

	"fargo/balancer/http1"
	"fargo/balancer/listener"
)

// forward passes the request at hand to a target and its answer back.
func (c *client) forward(ctx context.Context, r *listener.Rule) (more bool) {
	p := &c.trip
	*p = roundTrip{
		transaction: &c.transaction, downstream: c, server: c.server, listener: c.listener, from: &c.from,
		length: c.head.Length, body: &c.body, upgrade: c.wantsUpgrade(),
		fields: p.fields, answer: p.answer,
	}
	if status := p.choose(r); status != 0 {
		return c.refuse(c.listener, status, &c.body)
	}
	c.to.Inflight.Add(1)
	defer c.to.Inflight.Add(-1)
	if err := p.run(ctx); err != nil {
		return c.fail(err)
	}
	if p.answer.Status == http.StatusSwitchingProtocols {
		c.switchProtocols()
		return false
	}
	return c.pass()
}

// webSocket is the protocol that a connection can switch to. Load balancers offer
// no other: what follows would be requests that no rule has seen, as those of h2c
// are. Source: ALB user guide, "Listener configuration"; RFC 6455 section 4.1.
const webSocket = "websocket"

// wantsUpgrade reports whether the client would switch to webSocket.
func (c *client) wantsUpgrade() bool {
	return http1.Lists(c.Fields, http1.Upgrade, webSocket) && c.head.Length == 0 && !c.head.HTTP10 &&
		c.Method == http.MethodGet && http1.Lists(c.Fields, http1.Connection, "upgrade")
}

// SendContinue implements [downstream].
func (c *client) SendContinue() error {
	if c.head.HTTP10 || !http1.Lists(c.Fields, http1.Expect, "100-continue") {
		return nil
	}
	c.out.StatusLine(http.StatusContinue, "Continue")
	c.out.EndLine()
	if err := c.out.Flush(); err != nil {
		return errClientGone
	}
	return nil
}

// SendInterim implements [downstream].
func (c *client) SendInterim(a *http1.Response) error {
	if c.head.HTTP10 {
		return nil
	}
	c.out.StatusLine(a.Status, a.Reason)
	http1.Forwardable(a.Fields, func(f *http1.Field) { c.out.Field(f.Name, f.Value) })
	c.out.EndLine()
	if err := c.out.Flush(); err != nil {
		return errClientGone
	}
	return nil
}

// fail answers a request that got no answer from its target.
func (c *client) fail(err error) bool {
	status := statusOf(err)
	if status == statusClientGone {
		c.Status = status
		return false
	}
	c.Reason = err.Error()
	return c.page(c.listener, status, c.body.Done() && c.keep(c.listener))
}
