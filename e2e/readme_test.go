//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// readmeTimeout is far above what the commands of README.md take: a minute and a half.
const readmeTimeout = 5 * time.Minute

// TestReadme runs the commands of README.md, in their order, in one shell of a user
// who has just started Fargo.
func TestReadme(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, err := listMachine()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.MkdirTemp("", "fargo-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	in := &installation{binary: absolute(t, binary), data: data, logs: work}
	t.Cleanup(func() { tearDown(t, in, before) })
	if err := in.up("--listen", "127.0.0.1:0", "--speed", "10"); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(in.url, "http://")
	commands := readmeCommands(t, strings.ReplaceAll(string(source), "127.0.0.1:4566", address))
	typed := typeCommands(t, in, work, commands)
	for i, c := range commands {
		if i >= len(typed) {
			t.Fatalf("not typed any more: $ %s", c.text)
		}
		t.Logf("$ %s\n%s[%s]", c.text, typed[i].output, typed[i].exit)
		if want := c.exit(); !strings.HasPrefix(typed[i].exit, want+" ") {
			t.Errorf("%s\nended with %s, want %s:\n%s", c.text, typed[i].exit, want, typed[i].output)
		}
		if want := c.shown(); want != "" && !sameShape(c.seen(typed[i].output), want) {
			t.Errorf("%s\nprints\n%swhile README.md shows\n%s", c.text, typed[i].output, want)
		}
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("run make build example-archive: %v", err)
	}
	return path
}

// readmeCommand is a command behind a "$ " of README.md, and what is shown below it.
type readmeCommand struct {
	text   string
	output string // "" where none is shown: it is not compared then
}

// readmeCommands reads the indented blocks of a page. A command goes on over the
// lines that bash needs to have all of it.
func readmeCommands(t *testing.T, page string) []readmeCommand {
	t.Helper()
	var all []readmeCommand
	open := false // the last command is not complete
	for line := range strings.Lines(page) {
		code, isCode := strings.CutPrefix(line, "    ")
		if !isCode {
			if open {
				t.Fatalf("the block ends within $ %s", all[len(all)-1].text)
			}
			continue
		}
		text, prompted := strings.CutPrefix(code, "$ ")
		switch {
		case open:
			all[len(all)-1].text += code
		case prompted:
			all = append(all, readmeCommand{text: text})
		case len(all) > 0:
			all[len(all)-1].output += code
			continue
		default:
			continue
		}
		open = !isComplete(t, all[len(all)-1].text)
	}
	if len(all) == 0 {
		t.Fatal("README.md has no commands")
	}
	return all
}

// isComplete reports whether bash can parse a command: not one that goes on, nor a
// here document without its end.
func isComplete(t *testing.T, command string) bool {
	t.Helper()
	if strings.HasSuffix(command, "\\\n") {
		return false
	}
	cmd := exec.Command("bash", "-n")
	cmd.Stdin = strings.NewReader(command)
	out, _ := cmd.CombinedOutput() // it has the error too
	return len(out) == 0
}

var curlFailure = regexp.MustCompile(`^curl: \((\d+)\)`)

// exit is the code that a command ends with: that of curl where its failure is shown,
// or else 0.
func (c readmeCommand) exit() string {
	if m := curlFailure.FindStringSubmatch(c.output); m != nil {
		return m[1]
	}
	return "0"
}

// shown is the output in README.md.
func (c readmeCommand) shown() string { return c.seen(c.output) }

// seen is the part of an output that is compared: of the pictures of fargo watch only
// the last, since the others depend on timing.
func (c readmeCommand) seen(output string) string {
	if !strings.Contains(c.text, "fargo watch") {
		return output
	}
	output = strings.TrimSpace(output)
	return output[strings.LastIndex(output, "\n")+1:]
}

type typedCommand struct{ exit, output string }

// typeCommands runs the commands in bash, and returns how each ended ("0 after 3 s")
// and what it printed. It stops after the first that does not end as it should:
// others may wait for its effects. The directory has what make built in bin, so that
// files are not written among the sources.
func typeCommands(t *testing.T, in *installation, work string, commands []readmeCommand) []typedCommand {
	t.Helper()
	var script strings.Builder
	fmt.Fprintf(&script, "make() { command make -C '%s' \"$@\"; }\n", filepath.Dir(filepath.Dir(in.binary)))
	for i, c := range commands {
		fmt.Fprintf(&script, "{\n%s} >.%d.out 2>&1 </dev/null\ncode=$?; echo \"$code after $SECONDS s\" >.%d.exit\n[[ $code == %s ]] || exit\n", c.text, i, i, c.exit())
	}
	if err := os.Mkdir(filepath.Join(work, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"fargo": in.binary, "example-image.tar": absolute(t, exampleImage)} {
		if err := os.Symlink(target, filepath.Join(work, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	// As on a terminal, where the output and the progress are not mixed.
	if err := os.WriteFile(filepath.Join(work, ".curlrc"), []byte("no-progress-meter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readmeTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash")
	cmd.Stdin = strings.NewReader(script.String())
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "FARGO_DATA_DIR="+in.data, "CURL_HOME="+work,
		"REGISTRY_AUTH_FILE="+filepath.Join(work, "auth.json"),
		"AWS_CONFIG_FILE="+filepath.Join(work, "config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(work, "credentials"))
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); ctx.Err() != nil || len(out) > 0 {
		t.Errorf("the shell: %v: %s", err, out)
	}
	var all []typedCommand
	for i := range commands {
		exit, err := os.ReadFile(filepath.Join(work, fmt.Sprintf(".%d.exit", i)))
		if err != nil {
			break
		}
		output, err := os.ReadFile(filepath.Join(work, fmt.Sprintf(".%d.out", i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, typedCommand{strings.TrimSpace(string(exit)), string(output)})
	}
	return all
}

// shapes are what differs between runs.
var shapes = []struct {
	pattern *regexp.Regexp
	shape   string
}{
	{regexp.MustCompile(`\bAIDA[A-Z0-9]{17}\b`), "USER-ID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`\b\d{17,20}\b`), "NUMBER"},
	{regexp.MustCompile(`\b[0-9a-f]{16,64}\b`), "ID"},
	{regexp.MustCompile(`\bip-\d+-\d+-\d+-\d+\b`), "HOST"},
	{regexp.MustCompile(`\d+ milliseconds`), "TIME"},
}

// sameShape compares what a command printed with what is shown, but for ids, times
// and addresses. What comes after "…" is not shown.
func sameShape(got, shown string) bool {
	for _, s := range shapes {
		got = s.pattern.ReplaceAllString(got, s.shape)
		shown = s.pattern.ReplaceAllString(shown, s.shape)
	}
	got, shown = strings.TrimSpace(got), strings.TrimSpace(shown)
	if beginning, cut := strings.CutSuffix(shown, "…"); cut {
		return strings.HasPrefix(got, strings.TrimSpace(beginning))
	}
	return got == shown
}
