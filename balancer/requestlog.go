package balancer

import (
	"strconv"
	"strings"
	"time"
)

// requestLine is an exchange as the access log has it, of a request that came to
// the load balancer's port. now is when it was over.
// Source: ALB user guide, "Access log entries".
func requestLine(x *exchange, balancer string, port uint16, now time.Time) string {
	var b strings.Builder
	b.WriteString(kindOf(x))
	text := func(s string) { b.WriteByte(' '); b.WriteString(orDash(s)) }
	quoted := func(s string) { b.WriteByte(' '); b.WriteString(quote(orDash(s))) }
	text(now.UTC().Format("2006-01-02T15:04:05.000000Z"))
	text(balancer)
	text(x.Client.String())
	text(x.targetAddress)
	for _, d := range timesOf(x, now) {
		text(d)
	}
	text(strconv.Itoa(x.status))
	text(number(x.targetStatus))
	text(strconv.FormatInt(x.received, 10))
	text(strconv.FormatInt(x.written, 10))
	quoted(firstLine(x, balancer, port))
	quoted(fieldOf(x, "User-Agent"))
	text(x.cipher)
	text(x.tlsVersion)
	text(x.groupARN)
	quoted(x.trace)
	quoted(x.sni)
	quoted(x.certificate)
	text(priorityOf(x))
	text(x.began.UTC().Format("2006-01-02T15:04:05.000000Z"))
	quoted(actionOf(x))
	quoted(x.location)
	quoted("") // an error's reason: of authentication and Lambda only
	quoted(x.targetAddress)
	quoted(number(x.targetStatus))
	quoted(classificationOf(x))
	quoted(x.finding.Reason)
	text(x.connection)
	host, uri := transformedOf(x)
	quoted(host)
	quoted(uri)
	quoted(x.transformStatus)
	return b.String()
}

// transformed is what the rule's transforms made of the request, if anything.
func transformedOf(x *exchange) (host, uri string) {
	if x.rewritten == nil {
		return "", ""
	}
	if x.rewritten.authority != x.Authority {
		host = x.rewritten.authority
	}
	if x.rewritten.target != x.clientURI() {
		uri = x.rewritten.target
	}
	return host, uri
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func kindOf(x *exchange) string {
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

// times are how long the request took to reach its target, the target to
// answer, and the answer to leave; -1 for what did not happen.
func timesOf(x *exchange, now time.Time) [3]string {
	if x.departed.IsZero() || x.answered.IsZero() {
		return [3]string{"-1", "-1", "-1"}
	}
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
	return [3]string{seconds(x.departed.Sub(x.began)), seconds(x.answered.Sub(x.departed)), seconds(now.Sub(x.answered))}
}

func firstLine(x *exchange, balancer string, port uint16) string {
	if x.Method == "" {
		return "- http://" + balancer + ":" + strconv.Itoa(int(port)) + "- -"
	}
	scheme := "http"
	if x.TLS {
		scheme = "https"
	}
	host, _ := splitPort(x.Authority)
	url := scheme + "://" + host + ":" + strconv.Itoa(int(port)) + x.Path
	if x.Query != "" {
		url += "?" + x.Query
	}
	return x.Method + " " + url + " " + x.protocol
}

func fieldOf(x *exchange, name string) string {
	for i := range x.Fields {
		if strings.EqualFold(x.Fields[i].Name, name) {
			return x.Fields[i].Value
		}
	}
	return ""
}

func priorityOf(x *exchange) string {
	switch {
	case x.rule == nil:
		return "-1"
	case x.rule.priority == "default":
		return "0"
	}
	return x.rule.priority
}

func actionOf(x *exchange) string {
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
func classificationOf(x *exchange) string {
	if x.finding.Class == 0 {
		return ""
	}
	return x.finding.Class.String()
}
