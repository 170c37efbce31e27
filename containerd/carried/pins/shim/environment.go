package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"golang.org/x/sys/unix"
)

// environmentAnnotation names a file with variables ("NAME=value", a list in JSON) that
// the container is to have over those of its specification. Their values are secrets:
// neither containerd's database nor the bundle has them. Package containerd of Fargo
// writes the annotation and the file.
const environmentAnnotation = "fargo.environment"

// Create makes a container, with all its variables, and bounds its output.
func (s service) Create(ctx context.Context, r *api.CreateTaskRequest) (*api.CreateTaskResponse, error) {
	restore, err := completeSpec(r.Bundle)
	if err != nil {
		return nil, fmt.Errorf("add to the container's environment: %w", err)
	}
	err = s.outputs.interpose(r)
	var answer *api.CreateTaskResponse
	if err == nil {
		answer, err = s.TTRPCTaskService.Create(ctx, r)
	}
	if err != nil {
		await(s.outputs.end(r.ID))
	}
	if failed := restore(); err == nil {
		err = failed
	}
	return answer, err
}

// completeSpec has the bundle's specification be a whole one, with the variables that
// the annotation leads to, until restore is called. The whole one is in our memory only:
// in its place in the bundle is a link to it, which leads nowhere when we are dead.
func completeSpec(bundle string) (restore func() error, err error) {
	path := filepath.Join(bundle, "config.json")
	stored, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	whole, err := withEnvironment(stored)
	if err != nil {
		return nil, err
	}
	if whole == nil {
		return func() error { return nil }, nil
	}
	memory, err := inMemory(whole)
	if err != nil {
		return nil, err
	}
	aside, link := path+".stored", path+".link"
	err = errors.Join(
		os.WriteFile(aside, stored, 0o600),
		os.Symlink(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), memory.Fd()), link),
	)
	if err == nil {
		err = os.Rename(link, path)
	}
	if err != nil {
		return nil, errors.Join(err, memory.Close())
	}
	return func() error { return errors.Join(os.Rename(aside, path), memory.Close()) }, nil
}

// inMemory is a file that is on no file system.
func inMemory(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("config.json", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "config.json")
	if _, err := file.Write(content); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// withEnvironment is a specification with the variables that its annotation leads to;
// nil when it has no such annotation. All else is as it was, word for word.
func withEnvironment(stored []byte) ([]byte, error) {
	if !bytes.Contains(stored, []byte(environmentAnnotation)) {
		return nil, nil // most have none, and need not be taken apart
	}
	var annotations map[string]string
	var spec, process map[string]json.RawMessage
	var environment, more []string
	if err := errors.Join(json.Unmarshal(stored, &spec), member(spec, "annotations", &annotations)); err != nil {
		return nil, err
	}
	path := annotations[environmentAnnotation]
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(content, &more) != nil { // the error would show some of it
		return nil, fmt.Errorf("%s is not a list of variables", path)
	}
	err = errors.Join(member(spec, "process", &process), member(process, "env", &environment))
	if err != nil {
		return nil, err
	}
	if process["env"], err = json.Marshal(over(environment, more)); err != nil {
		return nil, err
	}
	if spec["process"], err = json.Marshal(process); err != nil {
		return nil, err
	}
	return json.Marshal(spec)
}

// member reads a member of an object, if there is one.
func member(object map[string]json.RawMessage, name string, into any) error {
	if value, ok := object[name]; ok {
		return json.Unmarshal(value, into)
	}
	return nil
}

// over lays variables over others: of one name the last value stands, in the place of
// the first.
func over(environment, more []string) []string {
	at := make(map[string]int, len(environment)+len(more))
	all := make([]string, 0, len(environment)+len(more))
	for _, list := range [][]string{environment, more} {
		for _, variable := range list {
			name, _, _ := strings.Cut(variable, "=")
			if i, known := at[name]; known {
				all[i] = variable
				continue
			}
			at[name] = len(all)
			all = append(all, variable)
		}
	}
	return all
}
