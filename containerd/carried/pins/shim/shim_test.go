package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/runc"
	"github.com/containerd/containerd/v2/pkg/protobuf/proto"
	gorunc "github.com/containerd/go-runc"
)

// Without runc's help a container is only deleted when its end is on record and
// runc has forgotten it.
func TestOver(t *testing.T) {
	bundle, root := t.TempDir(), t.TempDir()
	c, known := parse([]string{
		"-namespace", "ns", "-address", "/a", "-publish-binary", "/b", "-id", "c1", "-bundle", bundle, "delete",
	})
	if !known || c.action != "delete" {
		t.Fatalf("%+v, %v", c, known)
	}
	if c.over() {
		t.Error("without a word of its end")
	}
	if err := runc.WriteExitStatus(bundle, gorunc.Exit{Pid: 7, Status: 3, Timestamp: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if c.over() {
		t.Error("without knowing where runc's records are")
	}
	written, err := json.Marshal(&options.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "options.json"), written, 0o600); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(root, "ns", "c1")
	if err := os.MkdirAll(record, 0o700); err != nil {
		t.Fatal(err)
	}
	if c.over() {
		t.Error("while runc knows it")
	}
	if err := os.Remove(record); err != nil {
		t.Fatal(err)
	}
	if !c.over() {
		t.Error("not over")
	}
	var answer bytes.Buffer
	if err := c.answerDelete(&answer); err != nil {
		t.Fatal(err)
	}
	var said api.DeleteResponse
	if err := proto.Unmarshal(answer.Bytes(), &said); err != nil || said.Pid != 7 || said.ExitStatus != 3 {
		t.Errorf("%v, %v", &said, err)
	}
}

// What is not ours to do is left to containerd's own main function.
func TestUnknownArguments(t *testing.T) {
	if c, known := parse([]string{"-debug", "-namespace", "ns", "start"}); known {
		t.Errorf("%+v", c)
	}
}
