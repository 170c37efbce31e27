package routing

import (
	"fmt"
	"strconv"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
)

// FixedResponse is an answer the balancer gives itself.
type FixedResponse struct {
	Status            int
	ContentType, Body string
}

func compileFixed(c *elbv2.FixedResponseActionConfig) (*FixedResponse, error) {
	status, err := strconv.Atoi(aws.Value(c.StatusCode))
	if err != nil {
		return nil, fmt.Errorf("fixed-response: %w", err)
	}
	f := &FixedResponse{Status: status, ContentType: aws.Value(c.ContentType), Body: aws.Value(c.MessageBody)}
	if f.ContentType == "" {
		f.ContentType = "text/plain"
	}
	f.ContentType += "; charset=utf-8"
	return f, nil
}

// Redirect sends the client elsewhere.
type Redirect struct {
	Status                            int
	protocol, host, port, path, query string // templates
}

func compileRedirect(c *elbv2.RedirectActionConfig) *Redirect {
	r := &Redirect{
		Status:   301,
		protocol: aws.ValueOr(c.Protocol, "#{protocol}"),
		host:     aws.ValueOr(c.Host, "#{host}"),
		port:     aws.ValueOr(c.Port, "#{port}"),
		path:     aws.ValueOr(c.Path, "/#{path}"),
		query:    aws.ValueOr(c.Query, "#{query}"),
	}
	if c.StatusCode == elbv2.RedirectActionStatusCodeEnumHttp302 {
		r.Status = 302
	}
	return r
}

// Location is where a request to a listener on this port is sent.
// Source: ALB user guide, "Redirect actions".
func (r *Redirect) Location(q *Request, port uint16) string {
	protocol := "http"
	if q.TLS {
		protocol = "https"
	}
	host, _ := SplitPort(q.Authority)
	fill := strings.NewReplacer(
		"#{protocol}", protocol,
		"#{host}", host,
		"#{port}", strconv.Itoa(int(port)),
		"#{path}", strings.TrimPrefix(q.Path, "/"),
		"#{query}", q.Query,
	)
	url := strings.ToLower(fill.Replace(r.protocol)) + "://" + fill.Replace(r.host) + ":" + fill.Replace(r.port) + fill.Replace(r.path)
	if query := fill.Replace(r.query); query != "" {
		url += "?" + query
	}
	return url
}
