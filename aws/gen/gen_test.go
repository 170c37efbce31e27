package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Generated code is what the models and this generator give: `make generate` must
// change nothing.
func TestGeneratedIsCurrent(t *testing.T) {
	root, out := "..", t.TempDir()
	services, err := readServices(filepath.Join(root, "models", "services.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := generateAll(root, out, services); err != nil {
		t.Fatal(err)
	}
	for service := range services {
		name := packageName(service)
		files, err := filepath.Glob(filepath.Join(out, name, "*_gen.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: nothing generated (%v)", name, err)
		}
		for _, f := range files {
			want, _ := os.ReadFile(f)
			got, _ := os.ReadFile(filepath.Join(root, name, filepath.Base(f)))
			if string(got) != string(want) {
				t.Errorf("aws/%s/%s is not what the generator writes: run make generate", name, filepath.Base(f))
			}
		}
	}
}

func TestImportKeepsShapesAndDropsProse(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(from, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	const raw = `{"metadata":{"apiVersion":"1","uid":"x-1"},
"operations":{"documentation":{"name":"documentation","documentation":"<p>An operation of that name.</p>"}},
"shapes":{"A":{"type":"structure","documentation":"text","members":{"documentation":{"shape":"S","documentation":"text"},"b":{"shape":"S"}}},"S":{"type":"string","max":5}},
"documentation":"prose"}`
	if err := os.WriteFile(filepath.Join(from, "x", "service-2.json"), []byte(raw), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := importModels(from, to, map[string]selection{"x": {}}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(to, "x.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimLeft(`
{
"metadata":{
"apiVersion":"1",
"uid":"x-1"
},
"operations":{
"documentation":{"name":"documentation"}
},
"shapes":{
"A":{"type":"structure","members":{"documentation":{"shape":"S"},"b":{"shape":"S"}}},
"S":{"type":"string","max":5}
}
}
`, "\n")
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

// A patch changes the members that it names, and leaves the others and their order.
func TestPatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	const raw = `{"shapes":{"In":{"type":"structure","members":{"A":{"shape":"S"},"B":{"shape":"S"},"C":{"shape":"S"}}},"S":{"type":"string","max":5}}}`
	if err := os.WriteFile(path, []byte(raw), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := readModel(path, []patch{{Shapes: map[string]json.RawMessage{
		"In": json.RawMessage(`{"members":{"B":{"shape":"N"}}}`), "N": json.RawMessage(`{"type":"integer"}`), "S": json.RawMessage(`{"max":null}`),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, member := range m.Shapes["In"].members {
		got += member.Name + ":" + m.Shapes[member.Shape].Type + " "
	}
	if got != "A:string B:integer C:string " || m.Shapes["S"].Max != nil {
		t.Errorf("the patched members are %s, and S has the bound %v", got, m.Shapes["S"].Max)
	}
}

func TestConstName(t *testing.T) {
	for in, want := range map[string]string{
		"FARGATE_SPOT": "FargateSpot", "awsvpc": "Awsvpc", "t2.micro": "T2Micro", "UserInitiated": "UserInitiated", "2": "2",
	} {
		if got := constName(in); got != want {
			t.Errorf("constName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestImportKeepsTheNamesOfFilters(t *testing.T) {
	var o ordered
	if err := json.Unmarshal([]byte(`{"shape":"FilterList","documentation":"<p>The filters.</p> <ul> <li> <p> <code>tag</code>:&lt;key&gt; - A tag, for example <code>tag:Owner</code>.</p> </li> <li> <p> <code>cidr-block</code> - The block. You can also use <code>cidr</code> or <code>cidrBlock</code> as the filter names.</p> </li> </ul>"}`), &o); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"tag:", "cidr-block", "cidr", "cidrBlock"}, filtersOf(o)); d != "" {
		t.Error(d)
	}
}
