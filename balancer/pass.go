package balancer

import (
	"net/http"
	"time"

	"fargo/balancer/http1"
)

// pass writes the target's answer to the client, and keeps the target's
// connection when it can be used again.
func (p *passage) pass() (more bool) {
	p.status = p.answer.Status
	answer := p.up.in.Body(p.answer.Length)
	chunked := p.answer.Length < 0 && !p.head.HTTP10
	keep := p.keep(p.listener) && (p.answer.Length >= 0 || chunked)
	if p.answer.Close && p.stillSending() { // the target has heard enough
		keep = false
	}
	p.answerHead(chunked, keep)
	fromTarget, err := p.out.Copy(&answer, chunked)
	whole := err == nil
	if err == nil || fromTarget {
		if flushed := p.out.Flush(); err == nil {
			err = flushed
		}
	}
	done := p.stopSending().err == nil && p.body.Done()
	if whole && done && answer.Done() && !p.answer.Close && len(p.up.in.Buffered()) == 0 && !p.listener.mustClose(p.finding) {
		p.up.release()
	} else {
		p.up.Close()
	}
	if err != nil {
		p.reason = err.Error()
		if fromTarget {
			p.broken = true // the client must see that something is missing
		}
		return false
	}
	return keep && done
}

// answerHead writes the head of the target's answer.
func (p *passage) answerHead(chunked, keep bool) {
	a := &p.answer
	p.out.StatusLine(a.Status, a.Reason)
	now := p.answered
	p.fields = answerFields(p.fields[:0], a.Fields, &p.listener.settings, now)
	if p.remember != "" || p.table.sticky.kind != "" {
		p.fields = stickyCookies(p.fields, p.forward, p.remember, p.table.sticky, p.to, now)
	}
	for i := range p.fields {
		p.out.Field(p.fields[i].Name, p.fields[i].Value)
	}
	switch {
	case chunked:
		p.out.Length(http1.Chunked)
	case a.Length > 0:
		p.out.Length(a.Length)
	case a.Length == 0:
		// an answer to HEAD, and 304, may name a length without having a body
		if length, ok := http1.Find(a.Fields, http1.ContentLength); ok && a.Status >= 200 && a.Status != http.StatusNoContent {
			p.out.Field("Content-Length", length)
		}
	}
	p.connection(keep)
	p.out.EndLine()
}

// switchProtocols passes the answer on and then all that comes, both ways.
func (p *passage) switchProtocols() error {
	p.status = p.answer.Status
	p.out.StatusLine(p.answer.Status, p.answer.Reason)
	http1.Forwardable(p.answer.Fields, func(f *http1.Field) { p.out.Field(f.Name, f.Value) })
	if protocol, ok := http1.Find(p.answer.Fields, http1.Upgrade); ok {
		p.out.Field("Upgrade", protocol)
	}
	p.out.Field("Connection", "Upgrade")
	p.out.EndLine()
	p.out.Add(string(p.up.in.Buffered()))
	if err := p.out.Flush(); err != nil {
		return errClientGone
	}
	if _, err := p.up.Conn.Write(p.in.Buffered()); err != nil {
		return nil
	}
	defer p.up.Close()
	t := tunnel{idle: p.listener.idle}
	if err := t.run(p.Conn, p.up.Conn); err != nil {
		p.reason = err.Error()
	}
	p.received += t.there.Load()
	p.answered = time.Now()
	return nil
}
