package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// prose are the keys of a model that hold text for readers, or rules for
// clients alone (endpoints, client contexts). They are not imported.
var prose = map[string]bool{
	"documentation": true, "documentationUrl": true, "deprecatedMessage": true, "deprecatedSince": true,
	"endpointRuleSet": true, "clientContextParams": true, "contextParam": true,
	"staticContextParams": true, "operationContextParams": true,
	"examples": true, "version": true,
}

// importModels copies the model of each service from a botocore data directory,
// without prose, one line per shape or operation so that updates diff well. The names
// of filters are taken out of the prose.
func importModels(from, to string, services map[string]selection) error {
	for _, name := range sortedKeys(services) {
		raw, err := os.ReadFile(filepath.Join(from, name, "service-2.json"))
		if err != nil {
			return err
		}
		var top ordered
		if err := json.Unmarshal(raw, &top); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		var out bytes.Buffer
		writeStripped(&out, top, 0)
		out.WriteByte('\n')
		if err := os.WriteFile(filepath.Join(to, name+".json"), out.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// linesDepth is how deep objects are spread over lines: the top level
// (metadata, operations, shapes) and their entries.
const linesDepth = 2

func writeStripped(out *bytes.Buffer, o ordered, depth int) {
	out.WriteByte('{')
	first := true
	if names := filtersOf(o); names != nil {
		o = append(o, entry{"filters", marshal(names)})
	}
	for _, e := range o {
		// At depth 1 the keys are names of operations and shapes, never prose.
		if depth != 1 && prose[e.Key] && !isMemberTable(e.Value) {
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		if depth < linesDepth {
			out.WriteByte('\n')
		}
		k, _ := json.Marshal(e.Key)
		out.Write(k)
		out.WriteByte(':')
		writeValue(out, e.Key, e.Value, depth+1)
	}
	if depth < linesDepth && !first {
		out.WriteByte('\n')
	}
	out.WriteByte('}')
}

func writeValue(out *bytes.Buffer, key string, v json.RawMessage, depth int) {
	var o ordered
	switch {
	case key == "members" && json.Unmarshal(v, &o) == nil:
		// A structure's members may have any name, "documentation" included.
		out.WriteByte('{')
		for i, e := range o {
			if i > 0 {
				out.WriteByte(',')
			}
			k, _ := json.Marshal(e.Key)
			out.Write(k)
			out.WriteByte(':')
			writeValue(out, "", e.Value, depth+1)
		}
		out.WriteByte('}')
	case len(v) > 0 && v[0] == '{' && json.Unmarshal(v, &o) == nil:
		writeStripped(out, o, depth)
	default:
		_ = json.Compact(out, v)
	}
}

// isMemberTable tells a member that happens to be called like prose from prose.
func isMemberTable(v json.RawMessage) bool {
	return len(v) > 0 && v[0] == '{' && bytes.Contains(v, []byte(`"shape"`))
}

func marshal(names []string) json.RawMessage {
	b, _ := json.Marshal(names)
	return b
}
