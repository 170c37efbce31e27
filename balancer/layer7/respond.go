package layer7

import (
	"io"
	"net/http"
	"time"

	"fargo/balancer/header"
	"fargo/balancer/http1"
	"fargo/balancer/listener"
	"fargo/balancer/netconn"
)

// pass writes the target's answer to the client.
func (c *client) pass() (more bool) {
	p := &c.trip
	c.Status = p.answer.Status
	chunked := p.answer.Length < 0 && !c.head.HTTP10
	keep := c.keep(c.listener) && (p.answer.Length >= 0 || chunked)
	if p.answer.Close && p.stillSending() { // the target wants no more
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
	done := p.complete(whole)
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
	ipv6 := c.Client.Addr().Is6() && !c.Client.Addr().Is4In6()
	t := netconn.Tunnel{Idle: c.listener.Idle, Passed: func(n int64) { c.port.Metrics.PassedHTTP(n, ipv6) }}
	if err := t.Run(c.Conn, p.up.Conn); err != nil {
		c.Reason = err.Error()
	}
	c.Received += t.Sent.Load()
	c.tunneled = t.Received.Load()
	c.Passed = t.Sent.Load() + t.Received.Load()
	c.ResponseAt = time.Now()
}

// refuse answers with a page of the balancer's own.
func (c *client) refuse(l *listener.Listener, status int, body *http1.Body) (more bool) {
	keep := c.keep(l) && c.drain(body)
	return c.page(l, status, keep)
}

// page answers with the balancer's own page for a status.
func (c *client) page(l *listener.Listener, status int, keep bool) (more bool) {
	c.reply(l, status, "text/html", page(status), keep)
	return c.out.Flush() == nil && keep
}

// reply writes an answer of the balancer's own.
func (c *client) reply(l *listener.Listener, status int, contentType, body string, keep bool) {
	c.Status = status
	c.out.Discard()
	c.out.StatusLine(status, reasonOf(status))
	if l.ServerField {
		c.out.Field("Server", serverName)
	}
	c.out.Field("Date", header.Date(time.Now()))
	c.out.Field("Content-Type", contentType)
	c.out.Length(int64(len(body)))
	if c.Location != "" {
		c.out.Field("Location", c.Location)
	}
	for i := range l.AnswerFields {
		c.out.Field(l.AnswerFields[i].Name, l.AnswerFields[i].Value)
	}
	c.connection(keep)
	c.out.EndLine()
	if c.head.Method != http.MethodHead {
		c.out.Add(body)
	}
}

func (c *client) connection(keep bool) {
	if keep {
		c.out.Add("Connection: keep-alive\r\n")
	} else {
		c.out.Add("Connection: close\r\n")
	}
}

// lingerFor is how long a client may go on sending what nobody reads, so that
// it sees the answer before the connection is reset.
const lingerFor = time.Second

// maxLinger is how much of that is read, in bytes.
const maxLinger = 1 << 20

// end ends a connection after an answer, so that it arrives, or is seen not to
// have been finished.
func (c *client) end() {
	if c.broken {
		netconn.Reset(c.Conn)
		return
	}
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || c.Status == 0 || half.CloseWrite() != nil {
		return
	}
	if c.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, maxLinger) // however it ends
	}
}
