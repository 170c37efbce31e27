package ecr_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"fargo/api"
	"fargo/store/disk"
)

// victimDir names the variable that makes this test program a server to kill:
// its value is the server's directory.
const victimDir = "FARGO_ECR_VICTIM_DIR"

// serveVictim serves from what is in dir until it is killed. It says where on
// stdout.
func serveVictim(dir string) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	journal, err := disk.Open(filepath.Join(dir, "store"), disk.KeyIn(filepath.Join(dir, "key")), logger)
	if err != nil {
		return err
	}
	handler, _, err := assemble(context.Background(), journal, dir, api.AllowAuthenticated{}, logger)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, handler)
}

// victim starts a server on dir. kill ends it at once.
func victim(t *testing.T, dir string) (s *fixture, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	host, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	return &fixture{t: t, host: strings.TrimSpace(host), dir: dir}, kill
}

// Whatever the registry has acknowledged is there, whole, after it was killed
// in the middle of pushes.
func TestKilled(t *testing.T) {
	dir, pushed := t.TempDir(), map[string]v1.Hash{}
	s, kill := victim(t, dir)
	s.call("CreateRepository", `{"repositoryName":"app"}`)
	for round := range 3 {
		maps.Copy(pushed, pushUntil(s, round, 10, kill))
		s, kill = victim(t, dir)
		for tag, want := range pushed {
			if got, err := s.whole("app:" + tag); err != nil || got != want {
				t.Errorf("round %d: %s is %v, %v; want %v", round, tag, got, err, want)
			}
		}
	}
	if len(pushed) < 30 {
		t.Errorf("only %d images were pushed", len(pushed))
	}
}

// pushUntil pushes images, several at a time, and kills the server when it has
// acknowledged enough of them. It gives all that were acknowledged.
func pushUntil(s *fixture, round, enough int, kill func()) map[string]v1.Hash {
	password, _, _ := s.password()
	var mu sync.Mutex
	pushed := map[string]v1.Hash{}
	var pushers sync.WaitGroup
	for p := range 3 {
		pushers.Go(func() {
			for n := 0; ; n++ {
				tag := fmt.Sprintf("v%d-%d-%d", round, p, n)
				i := image(s.t, strings.Repeat(tag, 1000))
				if s.pushAs(basic(password), "app:"+tag, i) != nil {
					return
				}
				h, err := i.Digest()
				mu.Lock()
				if err == nil {
					pushed[tag] = h
				}
				if len(pushed) == enough {
					kill()
				}
				mu.Unlock()
			}
		})
	}
	pushers.Wait()
	return pushed
}

// whole pulls an image, checks every byte of it and gives its digest.
func (s *fixture) whole(image string) (h v1.Hash, err error) {
	ref, err := name.ParseReference(s.host + "/" + image)
	if err != nil {
		return h, err
	}
	password, _, _ := s.password()
	i, err := remote.Image(ref, basic(password))
	if err != nil {
		return h, err
	}
	if _, err := i.RawConfigFile(); err != nil {
		return h, err
	}
	layers, err := i.Layers()
	if err != nil {
		return h, err
	}
	for _, l := range layers {
		r, err := l.Compressed() // its reader verifies the digest
		if err != nil {
			return h, err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return h, err
		}
	}
	return i.Digest()
}
