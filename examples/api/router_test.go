package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

// A router does what its configuration says with what comes to it.
func TestRouter(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("key_0", "hunter2")
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	more := write("more.conf", "[FILTER]\n    Name record_modifier\n    Match app*\n    Record b 2\n")
	conf := write("conf", `# comment
[FILTER]
    Name grep
    Match app*
    Exclude log ^ping
@INCLUDE `+more+`
[OUTPUT]
    Name stdout
    Match app*
    Key ${key_0}
`)
	var out bytes.Buffer
	r := &router{out: &out}
	if err := r.readConfig(conf); err != nil {
		t.Fatal(err)
	}
	var messages []byte
	for _, m := range []struct{ tag, log string }{{"app-firelens-1", "one"}, {"app-firelens-1", "ping"}, {"other", "two"}} {
		var err error
		if messages, err = msgp.AppendIntf(messages, []any{m.tag, 1700000000, map[string]any{"log": m.log}, map[string]any{}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.read(bytes.NewReader(messages)); err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Error(err)
	}
	if want := `{"b":"2","log":"one","output_key":"hunter2","tag":"app-firelens-1"}` + "\n"; out.String() != want {
		t.Errorf("%s", out.String())
	}
}
