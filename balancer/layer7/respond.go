package layer7

import (
	"time"

	"fargo/balancer/http1"
	"fargo/balancer/netconn"
)

// pass writes the target's answer to the client.
func (c *client) pass() (more bool) {
	p := &c.trip
	c.Status = p.answer.Status
	chunked := p.answer.Length < 0 && !c.head.HTTP10
	keep := c.keep(c.listener) && (p.answer.Length >= 0 || chunked)
	if p.answer.Close && p.stillSending() { // the target has heard enough
		keep = false
	}
	c.answerHead(chunked, keep)
	fromTarget, err := c.out.Copy(&p.content, chunked)
	whole := err == nil
	if err == nil || fromTarget {
		if flushed := c.out.Flush(); err == nil {
			err = flushed
		}
	}
	done := p.finish(whole)
	if err != nil {
		c.Reason = err.Error()
		if fromTarget {
			c.broken = true // the client must see that something is missing
		}
		return false
	}
	return keep && done
}

// answerHead writes the head of the target's answer.
func (c *client) answerHead(chunked, keep bool) {
	p := &c.trip
	c.out.StatusLine(p.answer.Status, p.answer.Reason)
	fields := p.answerFields()
	for i := range fields {
		c.out.Field(fields[i].Name, fields[i].Value)
	}
	if length, ok := p.saidLength(); ok {
		c.out.Field("Content-Length", length)
	} else if chunked {
		c.out.Length(http1.Chunked)
	}
	c.connection(keep)
	c.out.EndLine()
}

// switchProtocols passes the answer on and then all that comes, both ways.
func (c *client) switchProtocols() {
	p := &c.trip
	defer p.up.Close()
	c.Status = p.answer.Status
	c.out.StatusLine(p.answer.Status, p.answer.Reason)
	http1.Forwardable(p.answer.Fields, func(f *http1.Field) { c.out.Field(f.Name, f.Value) })
	c.out.Field("Upgrade", webSocket)
	c.out.Field("Connection", "Upgrade")
	c.out.EndLine()
	c.out.Add(string(p.up.In.Buffered()))
	if err := c.out.Flush(); err != nil {
		c.Status = statusClientGone
		return
	}
	if _, err := p.up.Conn.Write(c.in.Buffered()); err != nil {
		return
	}
	t := netconn.Tunnel{Idle: c.listener.Idle}
	if err := t.Run(c.Conn, p.up.Conn); err != nil {
		c.Reason = err.Error()
	}
	c.Received += t.Sent.Load()
	c.ResponseAt = time.Now()
}
