package balancer_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fargo/aws/elbv2"
	"fargo/balancer"
	"fargo/desired"
)

// rewriting is a rule that forwards what it has rewritten.
func rewriting(group string) desired.BalancerRule {
	r := forwardTo(group)
	r.Transforms = []elbv2.RuleTransform{{
		Type:             elbv2.TransformTypeEnumUrlRewrite,
		UrlRewriteConfig: &elbv2.UrlRewriteConfig{Rewrites: []elbv2.RewriteConfig{{Regex: new("^/old/([^?]*)"), Replace: new("/new%2f$1")}}},
	}, {
		Type:                    elbv2.TransformTypeEnumHostHeaderRewrite,
		HostHeaderRewriteConfig: &elbv2.HostHeaderRewriteConfig{Rewrites: []elbv2.RewriteConfig{{Regex: new(`^(\w+)\.example$`), Replace: new("$1.internal")}}},
	}}
	return r
}

// TestTransforms holds what targets get of requests that are rewritten, and
// what the access log says of them.
func TestTransforms(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		dir := t.TempDir()
		h := newSystem(t, func(c *balancer.Config) { c.AccessLogs = dir })
		a := backend(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s %s", r.Method, r.Host, r.RequestURI)
		})
		b := https(t, rewriting("arn:g"))
		b.Attributes["access_logs.s3.enabled"], b.Attributes["access_logs.s3.bucket"] = "true", "logs"
		h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", a)})
		h.healthy(1)
		client := secureClient(t, h, http2)
		for _, test := range []struct{ url, want string }{
			{"https://a.example/old/x%20y?q=1", "POST a.internal /new%2fx%20y?q=1"},
			{"https://a.example/other?", "POST a.internal /other?"},
			{"https://a.b.example/old/x", "POST a.b.example /new%2fx"},
			{"https://a.b.example/other?q", "POST a.b.example /other?q"},
		} {
			r, err := client.Post(test.url, "text/plain", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			r.Body.Close()
			if string(body) != test.want || err != nil {
				t.Errorf("HTTP/2 %v, %s: %q, want %q, %v", http2, test.url, body, test.want, err)
			}
		}
		for _, want := range []string{
			`"POST https://a.example:443/old/x%20y?q=1 `, `"a.internal" "/new%2fx%20y?q=1" "TransformSuccess"`,
			`"a.internal" "-" "TransformSuccess"`, `"-" "/new%2fx" "TransformSuccess"`, `"-" "-" "-"`,
		} {
			eventually(t, "the log has "+want, func() bool { return logged(t, dir, want) })
		}
	}
}

// logged reports whether a line of the logs below dir has a text.
func logged(t *testing.T, dir, text string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found = found || strings.Contains(string(content), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
