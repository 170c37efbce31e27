package desired

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fargo/secret"
)

var rewrite = flag.Bool("rewrite", false, "write the fields of the contract into testdata")

// TestContractOnlyGrows holds that no field of a message is taken away or means
// something else: the other side may be one version older or newer.
func TestContractOnlyGrows(t *testing.T) {
	const file = "testdata/contract.txt"
	var lines []string
	for _, message := range []any{Hello{}, State{}, Delta{}, TaskReport{}, TargetReport{}, LogTarget{}, LogBatch{}, LogObject{}, Invocation{}, InvocationResult{}, ExecSessionReport{}, ExecTranscript{}, ExecKey{}, Measurements{}} {
		typ := reflect.TypeOf(message)
		lines = append(lines, fields(typ, typ.Name(), nil)...)
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if *rewrite {
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	known, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(known)) {
		if line = strings.TrimSpace(line); !slices.Contains(lines, line) {
			t.Errorf("gone or changed: %s", line)
		}
	}
	for _, line := range lines {
		if !strings.Contains(string(known), line+"\n") {
			t.Errorf("new (run with -rewrite, and see whether Version must go up): %s", line)
		}
	}
}

// fields lists the fields of a message as JSON has them, each with its type.
func fields(t reflect.Type, path string, within []reflect.Type) (lines []string) {
	switch t.Kind() {
	case reflect.Pointer:
		return fields(t.Elem(), path, within)
	case reflect.Slice:
		return fields(t.Elem(), path+"[]", within)
	case reflect.Map:
		return fields(t.Elem(), path+"{}", within)
	}
	switch {
	case t == reflect.TypeFor[secret.Exposed]():
		return []string{path + " string"}
	case t.Kind() != reflect.Struct || !strings.HasPrefix(t.PkgPath(), "fargo") || slices.Contains(within, t):
		return []string{fmt.Sprintf("%s %s", path, t.Kind())}
	}
	var own, embedded []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			embedded = append(embedded, fields(f.Type, path, append(within, t))...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		own = append(own, fields(f.Type, path+"."+name, append(within, t))...)
		// An outer field takes the place of an embedded one.
		embedded = slices.DeleteFunc(embedded, func(line string) bool {
			rest := strings.TrimPrefix(line, path+"."+name)
			return rest != line && strings.ContainsAny(rest[:1], "[{. ")
		})
	}
	return append(own, embedded...)
}
