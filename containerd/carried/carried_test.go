package carried

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
)

func testBundle(t *testing.T) fstest.MapFS {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range []string{containerdName, shimName, runcName, initName} {
		files["bundle/"+name+".zst"] = &fstest.MapFile{Data: encoder.EncodeAll([]byte("#!"+name), nil)}
	}
	return files
}

func TestExtractedProgramsAreWholeAndExecutable(t *testing.T) {
	target := filepath.Join(t.TempDir(), "bin", "abc")
	if err := extract(testBundle(t), target); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(target, runcName))
	if err != nil || string(content) != "#!runc" {
		t.Fatalf("runc = %q, %v", content, err)
	}
	info, err := os.Stat(filepath.Join(target, initName))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Fatalf("init: %v, %v", info, err)
	}
}

func TestExtractTwiceLeavesTheFirst(t *testing.T) {
	target := filepath.Join(t.TempDir(), "abc")
	if err := extract(testBundle(t), target); err != nil {
		t.Fatal(err)
	}
	if err := extract(fstest.MapFS{}, target); err != nil {
		t.Fatalf("what is there was not used: %v", err)
	}
}

func TestFailedExtractLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	bundle := testBundle(t)
	bundle["bundle/runc.zst"].Data = []byte("not compressed")
	if err := extract(bundle, filepath.Join(parent, "abc")); err == nil {
		t.Fatal("extracted garbage")
	}
	left, err := os.ReadDir(parent)
	if err != nil || len(left) != 0 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
}
