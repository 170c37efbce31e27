package layer7

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"fargo/balancer/exchange"
	"fargo/balancer/http1"
	"fargo/balancer/netconn"
	"fargo/balancer/upstream"
)

// sendResult says how sending the rest of a body ended.
type sendResult struct {
	fromClient bool // it was the client that failed
	waited     bool // it was stopped while it waited for the client
	err        error
}

// send writes the head and as much of the body as is there; the rest goes on
// its way by itself.
func (p *roundTrip) send() error {
	out := p.up.Out
	p.requestHead(out)
	if p.length == 0 {
		return p.up.Send()
	}
	if !p.body.Ready() {
		if err := p.downstream.SendContinue(); err != nil {
			return err
		}
	}
	chunked := p.length == http1.Chunked
	for p.body.Ready() {
		piece, err := p.body.Next()
		if errors.Is(err, io.EOF) {
			if chunked {
				out.LastChunk(p.body.Trailers())
			}
			return out.Flush()
		}
		if err != nil {
			return &clientError{err}
		}
		if err := out.Piece(piece, chunked); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	p.bodySent = make(chan sendResult, 1)
	go sendRest(p.up, p.body, chunked, p.bodySent)
	return nil
}

// sendRest sends the rest of a body and says how it went.
func sendRest(up *upstream.Conn, body http1.Source, chunked bool, done chan<- sendResult) {
	fromClient, err := up.Out.Copy(body, chunked)
	if err == nil {
		err = up.Out.Flush()
	}
	done <- sendResult{fromClient: fromClient, err: err}
	if fromClient {
		up.AbortReads() // no answer will come
	}
}

func (p *roundTrip) requestHead(out *http1.Writer) {
	out.BeginRequest(p.Method)
	switch { // as target has it, without a string made for it
	case p.Rewritten != nil:
		out.Add(p.Rewritten.Target)
	case p.Query != "" || strings.HasSuffix(p.URI, "?"):
		out.Add(p.Path)
		out.Add("?")
		out.Add(p.Query)
	default:
		out.Add(p.Path)
	}
	out.EndRequestLine()
	for i := range p.fields {
		out.Field(p.fields[i].Name, p.fields[i].Value)
	}
	if p.upgrade {
		out.Field("Upgrade", webSocket)
		out.Field("Connection", "Upgrade")
	}
	if p.length != 0 || p.saysEmpty() {
		out.Length(p.length)
	}
	out.EndLine()
}

// saysEmpty reports whether a request without body says so: because the client
// did, or because HTTP/2 needs no words for what HTTP/1.1 should say of some
// methods. Source: RFC 9110 section 8.6.
func (p *roundTrip) saysEmpty() bool {
	if _, says := http1.Find(p.Fields, http1.ContentLength); says || p.Protocol != exchange.HTTP2 {
		return says
	}
	return p.Method == http.MethodPost || p.Method == http.MethodPut || p.Method == http.MethodPatch
}

// stillSending reports whether some of the body has yet to be sent.
func (p *roundTrip) stillSending() bool { return p.bodySent != nil && len(p.bodySent) == 0 }

// errUnwanted says that a body was not sent in full because nobody wants it.
var errUnwanted = errors.New("the rest of the body is not wanted")

// stopSending ends the sending of a body, and says how it went.
func (p *roundTrip) stopSending() sendResult {
	if p.bodySent == nil {
		return sendResult{}
	}
	bodySent := p.bodySent
	p.bodySent = nil
	select {
	case s := <-bodySent:
		return s
	default:
	}
	p.downstream.AbortReads()
	p.up.StopWrites()
	s := <-bodySent
	if s.err == nil { // it had sent all, and was about to say so
		p.downstream.ResumeReads()
		p.up.RestartWrites()
		return s
	}
	return sendResult{err: errUnwanted, waited: s.fromClient && netconn.IsTimeout(s.err)}
}
