package logs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/logs"
	"fargo/aws/kms"
	wire "fargo/aws/logs"
	engine "fargo/logs"
)

// newAPI is Logs behind the whole request path, for whoever comes.
func newAPI(t *testing.T) (http.Handler, *engine.Store) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := engine.Open(t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return api.New(api.Config{
		Services:             []api.Mounted{{Service: &wire.API, Server: logs.New(logs.Config{Store: store, Unlisted: "/own", KeyUsable: keyUsable})}},
		Authorizer:           api.AllowAuthenticated{},
		Logger:               quiet,
		AcceptAnyCredentials: true,
		Account:              fargo.DefaultAccount,
		Region:               fargo.DefaultRegion,
	}), store
}

// TestScripts runs testdata through the wire. In its inputs @0 is now in
// milliseconds, @-15d is fifteen days ago and @+3h is in three hours. In its
// answers such times are <ms>, and events' ids and tokens' digits <digits-1>.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		handler, _ := newAPI(t)
		c := &client{handler: handler, started: time.Now(), digits: map[string]string{}}
		return apitest.Setup{Commands: map[string]func(context.Context, string) (string, error){"logs": c.call}}
	})
}

type client struct {
	handler http.Handler
	started time.Time
	digits  map[string]string // 56 digits to their name, and back
}

var (
	placeholder = regexp.MustCompile(`@([-+]?\d+)([dhms]?)\b`)
	digitsName  = regexp.MustCompile(`<digits-\d+>`)
	digits      = regexp.MustCompile(`\d{56}`)
	sequence    = regexp.MustCompile(`49\d{54}`)
	millis      = regexp.MustCompile(`\b1[5-9]\d{11}\b`)
)

var units = map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second, "": time.Millisecond}

func (c *client) call(ctx context.Context, line string) (string, error) {
	operation, input, _ := strings.Cut(line, " ")
	input = placeholder.ReplaceAllStringFunc(input, func(s string) string {
		m := placeholder.FindStringSubmatch(s)
		var n int64
		fmt.Sscanf(m[1], "%d", &n)
		return fmt.Sprint(c.started.Add(time.Duration(n) * units[m[2]]).UnixMilli())
	})
	input = digitsName.ReplaceAllStringFunc(input, func(s string) string { return c.digits[s] })
	if input == "" {
		input = "{}"
	}
	r := httptest.NewRequestWithContext(ctx, "POST", "/", strings.NewReader(input))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", wire.API.TargetPrefix+"."+operation)
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil && len(body) > 0 {
		return "", err
	}
	answer := sequence.ReplaceAllString(out.String(), "<sequence-token>")
	answer = millis.ReplaceAllString(digits.ReplaceAllStringFunc(answer, c.name), "<ms>")
	if w.Code != http.StatusOK {
		answer = fmt.Sprintf("%d %s", w.Code, answer)
	}
	return answer, nil
}

func (c *client) name(d string) string {
	if _, ok := c.digits[d]; !ok {
		name := fmt.Sprintf("<digits-%d>", len(c.digits)/2+1)
		c.digits[d], c.digits[name] = name, d
	}
	return c.digits[d]
}

// keyUsable is of a KMS with the key 1, the key off, which is disabled, and others whose
// policies let nobody in.
func keyUsable(keyARN, service, contextName, resourceARN string) error {
	const key, group = "arn:aws:kms:us-east-1:123456789012:key/", "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/"
	switch {
	case service != "logs.us-east-1.amazonaws.com" || contextName != "aws:logs:arn" || !strings.HasPrefix(resourceARN, group):
	case keyARN == key+"off":
		return kms.DisabledException("%s is disabled.", keyARN)
	case keyARN == key+"1":
		return nil
	}
	return errors.New("no")
}
