package containerd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/containers"

	"fargo/host"
)

// environmentAnnotation leads the carried shim to the file with the variables of a
// container whose values are secrets. They are nowhere else: containerd's records and
// the bundle are without them, the shim adds them to what runc reads, and [Runtime.Exec]
// to what it has the shim run.
const environmentAnnotation = "fargo.environment"

// checkEnvironment refuses what cannot be a container's environment, and any secret in
// it where nobody would add them. No error shows a value.
func (r *Runtime) checkEnvironment(spec *host.ContainerSpec) error {
	adds := r.config.Binaries.Shim != "" && r.config.Binaries.Environment
	for _, v := range spec.SecretEnvironment {
		switch {
		case !adds:
			return &Error{CannotCreate, errors.New("containers with secrets need the containerd that Fargo carries: another would keep the values on its disk")}
		case v.Name == "" || strings.ContainsAny(v.Name, "=\x00"):
			return &Error{CannotCreate, fmt.Errorf("%.80q cannot be the name of a variable", v.Name)}
		case strings.ContainsRune(v.Value.Reveal(), 0):
			return &Error{CannotCreate, fmt.Errorf("the secret %s contains a NUL", v.Name)}
		}
	}
	return nil
}

// environmentFile is the file with the secrets of a container's environment, which is
// there for as long as the container is.
func (r *Runtime) environmentFile(id string) string {
	return filepath.Join(r.config.MemoryDir, "environment", id)
}

// sweepMemory removes what is left of containers and shims that are gone: those that a
// daemon has lost with its data.
func (r *Runtime) sweepMemory(ctx context.Context) error {
	// They are listed after their files: each comes before its file.
	environments, err := entries(r.environmentFile(""))
	memories, err2 := entries(r.shimMemory(""))
	records, err3 := r.client.ContainerService().List(ctx)
	shims, err4 := entries(shimsDir(r.config.StateDir))
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return err
	}
	var failed []error
	for _, id := range environments {
		if !slices.ContainsFunc(records, func(c containers.Container) bool { return c.ID == id }) {
			failed = append(failed, os.RemoveAll(r.environmentFile(id)))
		}
	}
	for _, name := range memories {
		if !slices.Contains(shims, name) {
			failed = append(failed, os.RemoveAll(r.shimMemory(name)))
		}
	}
	return errors.Join(failed...)
}

// entries are the names of what is in a directory, which need not be there.
func entries(dir string) (names []string, err error) {
	all, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names, err
}

// environmentOf is the file of a container that has secrets in its environment.
func (r *Runtime) environmentOf(spec *host.ContainerSpec) string {
	if len(spec.SecretEnvironment) == 0 {
		return ""
	}
	return r.environmentFile(spec.ID)
}

func (r *Runtime) writeEnvironment(spec *host.ContainerSpec) error {
	path := r.environmentOf(spec)
	if path == "" {
		return nil
	}
	variables := make([]string, len(spec.SecretEnvironment))
	for i, v := range spec.SecretEnvironment {
		variables[i] = v.Name + "=" + v.Value.Reveal()
	}
	content, err := json.Marshal(variables)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// readEnvironment reads what writeEnvironment wrote; there is nothing at an empty path.
func readEnvironment(path string) (variables []string, err error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the secrets of the container's environment: %w", err)
	}
	if json.Unmarshal(content, &variables) != nil { // the error would show some of it
		return nil, fmt.Errorf("%s is not a list of variables", path)
	}
	return variables, nil
}
