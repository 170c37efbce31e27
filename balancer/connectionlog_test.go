package balancer_test

import (
	"crypto/tls"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"fargo/balancer"
	"fargo/desired"
)

// TestConnectionLog reads the lines of a plain connection, of encrypted ones and
// of one whose handshake failed, and finds their names in the access log.
func TestConnectionLog(t *testing.T) {
	dir := t.TempDir()
	h := newSystem(t, func(c *balancer.Config) { c.AccessLogs = dir })
	a := backend(t, func(http.ResponseWriter, *http.Request) {})
	b := https(t, forwardTo("arn:g"))
	b.ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/test/50dc6c495c0c9188"
	b.Listeners = append(b.Listeners, alb(forwardTo("arn:g")).Listeners...)
	for _, kind := range []string{"access_logs", "connection_logs"} {
		b.Attributes[kind+".s3.enabled"], b.Attributes[kind+".s3.bucket"] = "true", kind
	}
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	const file = "123456789012_elasticloadbalancing_eu-west-1_app.test.50dc6c495c0c9188_*Z_192.0.2.1_????????.log"
	get := func(client *http.Client, url string) {
		t.Helper()
		r, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	}
	plain := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(plain.CloseIdleConnections)
	get(plain, "http://"+h.addr(80))
	for _, client := range []*http.Client{secureClient(t, h, false), secureClient(t, h, true)} {
		get(client, "https://a.example/")
		get(client, "https://a.example/")
	}
	old := tls.Client(dial(t, h.addr(443)), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := old.Handshake(); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	const stamp = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z 127\.0\.0\.1 \d+`
	var names []string
	for i, line := range logLines(t, dir, "connection_logs", "conn_log."+file, 4) {
		want := []string{
			stamp + ` 80 - - - "-" - - - (TID_[0-9a-f]{32})`,
			stamp + ` 443 TLSv1\.3 TLS_\S+ \d+\.\d{3} "-" - - Success (TID_[0-9a-f]{32})`,
			stamp + ` 443 TLSv1\.3 TLS_\S+ \d+\.\d{3} "-" - - Success (TID_[0-9a-f]{32})`,
			stamp + ` 443 - - - "-" - - Failed:UnmappedConnectionError (TID_[0-9a-f]{32})`,
		}[i]
		match := regexp.MustCompile("^" + want + "$").FindStringSubmatch(line)
		if match == nil {
			t.Fatalf("line %d: %s", i, line)
		}
		names = append(names, match[1])
	}
	requests := map[string]int{} // by the names of their connections
	for _, line := range logLines(t, dir, "access_logs", file, 5) {
		words := strings.Fields(strings.TrimSuffix(line, ` "-" "-" "-"`))
		requests[words[len(words)-1]]++
	}
	if want := map[string]int{names[0]: 1, names[1]: 2, names[2]: 2}; !maps.Equal(requests, want) {
		t.Errorf("requests by connection: %v, want %v", requests, want)
	}
}
