package accesslog

import (
	"strconv"
	"strings"
	"time"

	"fargo/balancer/exchange"
	"fargo/balancer/objectlog"
	"fargo/balancer/routing"
)

// RequestLine is an exchange as the access log has it, of a request that came to
// the load balancer's port. now is when it was over.
// Source: ALB user guide, "Access log entries".
func RequestLine(x *exchange.Exchange, balancer string, port uint16, now time.Time) string {
	var b strings.Builder
	b.WriteString(kindOf(x))
	text := func(s string) { b.WriteByte(' '); b.WriteString(objectlog.OrDash(s)) }
	quoted := func(s string) { b.WriteByte(' '); b.WriteString(objectlog.Quote(objectlog.OrDash(s))) }
	text(now.UTC().Format("2006-01-02T15:04:05.000000Z"))
	text(balancer)
	text(x.Client.String())
	text(x.TargetAddress)
	for _, d := range timesOf(x, now) {
		text(d)
	}
	text(strconv.Itoa(x.Status))
	text(number(x.TargetStatus))
	text(strconv.FormatInt(x.Received, 10))
	text(strconv.FormatInt(x.Written, 10))
	quoted(firstLine(x, balancer, port))
	quoted(fieldOf(x, "User-Agent"))
	text(x.Cipher)
	text(x.TLSVersion)
	text(x.GroupARN)
	quoted(x.Trace)
	quoted(x.SNI)
	quoted(x.Certificate)
	text(priorityOf(x))
	text(x.Began.UTC().Format("2006-01-02T15:04:05.000000Z"))
	quoted(actionOf(x))
	quoted(x.Location)
	quoted("") // an error's reason: of authentication and Lambda only
	quoted(x.TargetAddress)
	quoted(number(x.TargetStatus))
	quoted(classificationOf(x))
	quoted(x.Finding.Reason)
	text(x.Connection)
	host, uri := transformedOf(x)
	quoted(host)
	quoted(uri)
	quoted(x.TransformStatus)
	return b.String()
}

// transformed is what the rule's transforms made of the request, if anything.
func transformedOf(x *exchange.Exchange) (host, uri string) {
	if x.Rewritten == nil {
		return "", ""
	}
	if x.Rewritten.Authority != x.Authority {
		host = x.Rewritten.Authority
	}
	if x.Rewritten.Target != x.ClientURI() {
		uri = x.Rewritten.Target
	}
	return host, uri
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func kindOf(x *exchange.Exchange) string {
	switch {
	case x.GRPC:
		return "grpcs"
	case x.Protocol == exchange.HTTP2:
		return "h2"
	case x.TargetStatus == 101 && x.TLS:
		return "wss"
	case x.TargetStatus == 101:
		return "ws"
	case x.TLS:
		return "https"
	}
	return "http"
}

// times are how long the request took to reach its target, the target to
// answer, and the answer to leave; -1 for what did not happen.
func timesOf(x *exchange.Exchange, now time.Time) [3]string {
	if x.SentAt.IsZero() || x.ResponseAt.IsZero() {
		return [3]string{"-1", "-1", "-1"}
	}
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
	return [3]string{seconds(x.SentAt.Sub(x.Began)), seconds(x.ResponseAt.Sub(x.SentAt)), seconds(now.Sub(x.ResponseAt))}
}

func firstLine(x *exchange.Exchange, balancer string, port uint16) string {
	if x.Method == "" {
		return "- http://" + balancer + ":" + strconv.Itoa(int(port)) + "- -"
	}
	scheme := "http"
	if x.TLS {
		scheme = "https"
	}
	host, _ := routing.SplitPort(x.Authority)
	url := scheme + "://" + host + ":" + strconv.Itoa(int(port)) + x.Path
	if x.Query != "" {
		url += "?" + x.Query
	}
	return x.Method + " " + url + " " + x.Protocol
}

func fieldOf(x *exchange.Exchange, name string) string {
	for i := range x.Fields {
		if strings.EqualFold(x.Fields[i].Name, name) {
			return x.Fields[i].Value
		}
	}
	return ""
}

func priorityOf(x *exchange.Exchange) string {
	switch {
	case x.Rule == nil:
		return "-1"
	case x.Rule.IsDefault():
		return "0"
	}
	return x.Rule.Priority
}

func actionOf(x *exchange.Exchange) string {
	switch {
	case x.Rule == nil:
		return ""
	case x.Rule.Action.Forward != nil:
		return "forward"
	case x.Rule.Action.Redirect != nil:
		return "redirect"
	case x.Rule.Action.Fixed != nil:
		return "fixed-response"
	}
	return ""
}

// classification is empty for what complies.
func classificationOf(x *exchange.Exchange) string {
	if x.Finding.Class == 0 {
		return ""
	}
	return x.Finding.Class.String()
}
