package balancer

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// logLine is an exchange as the access log has it. now is when it was over.
// Source: ALB user guide, "Access log entries".
func (x *exchange) logLine(l *listener, now time.Time) string {
	var b strings.Builder
	b.WriteString(x.kind())
	text := func(s string) { b.WriteByte(' '); b.WriteString(orDash(s)) }
	quoted := func(s string) { b.WriteByte(' '); b.WriteString(quote(orDash(s))) }
	text(now.UTC().Format("2006-01-02T15:04:05.000000Z"))
	text(l.balancer.name)
	text(x.Client.String())
	text(x.targetAddress())
	for _, d := range x.times(now) {
		text(d)
	}
	text(strconv.Itoa(x.status))
	text(number(x.targetStatus))
	text(strconv.FormatInt(x.received, 10))
	text(strconv.FormatInt(x.written, 10))
	quoted(x.requestLine(l))
	quoted(x.field("User-Agent"))
	text(x.cipher)
	text(x.tlsVersion)
	text(x.groupARN())
	quoted(x.trace)
	quoted(x.sni)
	quoted(x.certificate)
	text(x.priority())
	text(x.began.UTC().Format("2006-01-02T15:04:05.000000Z"))
	quoted(x.actions())
	quoted(x.location)
	quoted("") // an error's reason: of authentication and Lambda only
	quoted(x.targetAddress())
	quoted(number(x.targetStatus))
	quoted(x.classification())
	quoted(x.finding.Reason)
	text(x.connection)
	host, uri := x.transformed()
	quoted(host)
	quoted(uri)
	quoted(x.transformStatus)
	return b.String()
}

// transformed is what the rule's transforms made of the request, if anything.
func (x *exchange) transformed() (host, uri string) {
	if x.rewritten == nil {
		return "", ""
	}
	if x.rewritten.authority != x.Authority {
		host = x.rewritten.authority
	}
	if x.rewritten.target != x.asked() {
		uri = x.rewritten.target
	}
	return host, uri
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// quote puts a text in quotes; what could end them is escaped.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02X`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func (x *exchange) kind() string {
	switch {
	case x.grpc:
		return "grpcs"
	case x.protocol == protocolHTTP2:
		return "h2"
	case x.targetStatus == 101 && x.TLS:
		return "wss"
	case x.targetStatus == 101:
		return "ws"
	case x.TLS:
		return "https"
	}
	return "http"
}

func (x *exchange) targetAddress() string {
	if x.to == nil {
		return ""
	}
	return x.to.address
}

// times are how long the request took to reach its target, the target to
// answer, and the answer to leave; -1 for what did not happen.
func (x *exchange) times(now time.Time) [3]string {
	if x.departed.IsZero() || x.answered.IsZero() {
		return [3]string{"-1", "-1", "-1"}
	}
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
	return [3]string{seconds(x.departed.Sub(x.began)), seconds(x.answered.Sub(x.departed)), seconds(now.Sub(x.answered))}
}

func (x *exchange) requestLine(l *listener) string {
	if x.Method == "" {
		return "- http://" + l.balancer.name + ":" + strconv.Itoa(int(l.port)) + "- -"
	}
	scheme := "http"
	if x.TLS {
		scheme = "https"
	}
	host, _ := splitPort(x.Authority)
	url := scheme + "://" + host + ":" + strconv.Itoa(int(l.port)) + x.Path
	if x.Query != "" {
		url += "?" + x.Query
	}
	return x.Method + " " + url + " " + x.protocol
}

func (x *exchange) field(name string) string {
	for i := range x.Fields {
		if strings.EqualFold(x.Fields[i].Name, name) {
			return x.Fields[i].Value
		}
	}
	return ""
}

func (x *exchange) groupARN() string {
	if x.group == nil {
		return ""
	}
	return x.group.arn
}

func (x *exchange) priority() string {
	switch {
	case x.rule == nil:
		return "-1"
	case x.rule.priority == "default":
		return "0"
	}
	return x.rule.priority
}

func (x *exchange) actions() string {
	switch {
	case x.rule == nil:
		return ""
	case x.rule.action.forward != nil:
		return "forward"
	case x.rule.action.redirect != nil:
		return "redirect"
	case x.rule.action.fixed != nil:
		return "fixed-response"
	}
	return ""
}

// classification is empty for what complies.
func (x *exchange) classification() string {
	if x.finding.Class == 0 {
		return ""
	}
	return x.finding.Class.String()
}
