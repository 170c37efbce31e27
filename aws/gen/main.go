// Command gen turns the AWS API models in aws/models into Go: one package per
// service with its types, its errors and the table of its operations. It knows
// the models' grammar and Go's; it refuses to know what an operation means.
//
//	go run ./aws/gen                     generate aws/<service>/ from aws/models/
//	go run ./aws/gen import DIR          strip botocore's models in DIR into aws/models/
//
// aws/models/services.json says which services there are and which of their
// operations are typed; aws/models/patches.json corrects what a model says
// wrongly, as data. The models are botocore's (Apache-2.0), without their prose.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

// selection says what of a service is generated.
type selection struct {
	// Typed lists the operations that get types; ["*"] means all. The others
	// are known by name only.
	Typed []string `json:"typed"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	root := filepath.Join("aws")
	services, err := readServices(filepath.Join(root, "models", "services.json"))
	if err != nil {
		return err
	}
	if len(args) == 2 && args[0] == "import" {
		return importModels(args[1], filepath.Join(root, "models"), services)
	}
	if len(args) != 0 {
		return fmt.Errorf("usage: gen [import DIR]")
	}
	return generateAll(root, root, services)
}

// generateAll reads the models below root and writes the packages below out.
func generateAll(root, out string, services map[string]selection) error {
	patches, err := readPatches(filepath.Join(root, "models", "patches.json"))
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(services) {
		m, err := readModel(filepath.Join(root, "models", name+".json"), patches[name])
		if err != nil {
			return err
		}
		if err := generate(filepath.Join(out, packageName(name)), name, m, services[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func readServices(path string) (map[string]selection, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s map[string]selection
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
