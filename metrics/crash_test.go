package metrics

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// senders is how many write at once in the storm; each is a source with a metric.
const senders = 8

// stormDir names, to a child of this test, the store to storm.
const stormDir = "METRICS_TEST_STORM"

// TestMain lets a child of this test be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(stormDir); dir != "" {
		if err := storm(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// storm sends samples until it is killed, and says on stdout which were acknowledged. A
// sender goes on where the store says that it is.
func storm(dir string) error {
	s, err := Open(dir, discard, time.Now)
	if err != nil {
		return err
	}
	failed := make(chan error)
	var printing sync.Mutex
	for i := range senders {
		go func() {
			name := fmt.Sprint("m", i)
			held, err := s.PutFrom(context.Background(), name, 0, nil)
			for err == nil {
				at := stormTime(held + 1)
				if held, err = s.PutFrom(context.Background(), name, held+1, []Datum{datum(metric(name), at, 1)}); err == nil {
					printing.Lock()
					fmt.Println(i, held)
					printing.Unlock()
				}
			}
			failed <- err
		}()
	}
	return <-failed
}

// stormTime spreads what a sender sends over two hours, of which nothing is old.
func stormTime(number uint64) time.Time {
	return time.Now().Truncate(time.Hour).Add(time.Duration(number%120-60) * time.Minute)
}

// TestKilledUnderLoad kills a process that is adding samples, again and again: nothing
// acknowledged is lost, and although senders repeat what they are not sure of, nothing
// counts twice.
func TestKilledUnderLoad(t *testing.T) {
	dir := t.TempDir()
	var acked [senders]uint64
	for round := range 5 {
		kill(t, dir, 300+200*round, &acked)
		s, err := Open(dir, discard, time.Now)
		must(t, err)
		for i, want := range acked {
			checkSender(t, s, fmt.Sprint("m", i), want)
		}
		must(t, s.Close())
	}
}

// kill storms the store until n samples were acknowledged, and notes how far every
// sender got.
func kill(t *testing.T, dir string, n int, acked *[senders]uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), stormDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer cmd.Wait()
	lines := bufio.NewReader(out)
	for count := 0; ; count++ {
		if count == n {
			must(t, cmd.Process.Kill())
		}
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // what was written before the kill is read as well
		}
		must(t, err)
		i, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		sender, err := strconv.Atoi(i)
		must(t, err)
		held, err := strconv.ParseUint(number, 10, 64)
		must(t, err)
		acked[sender] = max(acked[sender], held)
	}
}

// checkSender compares what there is of a metric with the number that the store has of
// its source, and that with the one acknowledged.
func checkSender(t *testing.T, s *Store, name string, acked uint64) {
	t.Helper()
	held, err := s.PutFrom(t.Context(), name, 0, nil)
	must(t, err)
	now := time.Now()
	found, err := s.Statistics(t.Context(), Query{Metric: metric(name), Start: now.Add(-6 * time.Hour), End: now.Add(6 * time.Hour), Period: 12 * time.Hour})
	must(t, err)
	count := 0.0
	for _, series := range found {
		for _, p := range series.Points {
			count += p.Count
		}
	}
	if held < acked || count != float64(held) {
		t.Fatalf("of %s there are %g samples up to number %d; %d was acknowledged", name, count, held, acked)
	}
}
