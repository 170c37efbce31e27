package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"fargo/secret"
)

const value = "hunter2-correct-horse"

type shown struct {
	Name     string
	Password secret.Text
	Pointer  *secret.Text
	Exposed  secret.Exposed
	Map      map[string]secret.Text
}

// hidden keeps secrets where package fmt does not call their methods.
type hidden struct {
	password secret.Text
	exposed  secret.Exposed
	list     []secret.Text
	within   struct{ pointer *secret.Text }
}

func values() []any {
	s := secret.New(value)
	h := hidden{password: s, exposed: secret.Exposed{Text: s}, list: []secret.Text{s}}
	h.within.pointer = &s
	return []any{
		s, &s,
		secret.Exposed{Text: s},
		&secret.Exposed{Text: s},
		[]secret.Text{s},
		map[string]secret.Text{"a": s},
		shown{"n", s, &s, secret.Exposed{Text: s}, map[string]secret.Text{"a": s}},
		&shown{Password: s}, h, &h,
		fmt.Errorf("wrong password %v: %w", s, errors.New("refused")),
	}
}

// No verb of package fmt shows a secret, wherever it is kept.
func TestFormatsShowNothing(t *testing.T) {
	for _, v := range values() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10.3v", "%t", "%p", "%U"} {
			expect(t, fmt.Sprintf("%T %s", v, verb), fmt.Sprintf(verb, v))
		}
	}
}

// No handler of package slog shows a secret, nor one that formats what it gets.
func TestLogsShowNothing(t *testing.T) {
	var out bytes.Buffer
	all := &slog.HandlerOptions{Level: slog.LevelDebug}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, all), slog.NewJSONHandler(&out, all)} {
		log := slog.New(h)
		for _, v := range values() {
			if s, ok := v.(shown); ok { // as a part of others JSON shows what is exposed
				s.Exposed = secret.Exposed{}
				v = s
			}
			out.Reset()
			log.With("with", v).WithGroup("g").Debug("m", "value", v, slog.Group("in", "value", v))
			if out.Len() == 0 {
				t.Fatal("nothing was logged")
			}
			expect(t, fmt.Sprintf("%T", v), out.String())
		}
	}
}

// No encoder shows a Text, and what it writes cannot be taken for the secret.
func TestEncodersShowNothing(t *testing.T) {
	s := secret.New(value)
	j, err := json.Marshal(map[string]any{"a": s, "b": &s, "c": []secret.Text{s}})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "json", string(j))
	x, err := xml.Marshal(struct {
		XMLName  xml.Name `xml:"a"`
		Password secret.Text
	}{Password: s})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "xml", string(x))
	var back struct{ A secret.Text }
	if err := json.Unmarshal([]byte(`{"A":"[redacted]"}`), &back); err == nil {
		t.Error("what was redacted was read as a secret")
	}
}

// JSON, and only JSON, shows what is exposed.
func TestExposedTravels(t *testing.T) {
	j, err := json.Marshal(secret.Exposed{Text: secret.New(value)})
	if err != nil || string(j) != `"`+value+`"` {
		t.Fatalf("%s, %v", j, err)
	}
	var back secret.Exposed
	if err := json.Unmarshal(j, &back); err != nil || back.Reveal() != value {
		t.Errorf("%q, %v", back.Reveal(), err)
	}
	err = json.Unmarshal([]byte(`["`+value+`"]`), &back)
	if err == nil {
		t.Error("a list was read as a secret")
	}
	expect(t, "the error", err.Error())
	omitted, err := json.Marshal(struct {
		P secret.Exposed `json:"p,omitzero"`
	}{})
	if err != nil || string(omitted) != "{}" {
		t.Errorf("%s, %v", omitted, err)
	}
}

func TestEqual(t *testing.T) {
	a, b := secret.New(value), secret.New(value)
	if !a.Equal(b) || a.Equal(secret.New("other")) || !(secret.Text{}).Equal(secret.New("")) || !(secret.Text{}).IsZero() || a.IsZero() {
		t.Error("secrets are not compared by their values")
	}
}

func expect(t *testing.T, how, out string) {
	t.Helper()
	for _, part := range []string{value, "hunter2", fmt.Sprintf("%x", value), fmt.Sprintf("%X", value), fmt.Sprintf("%d", []byte(value))} {
		if strings.Contains(out, part) {
			t.Errorf("%s shows the secret: %s", how, out)
		}
	}
}
