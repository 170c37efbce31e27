//go:build e2e && chaos

package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

var (
	chaosFor  = flag.Duration("chaos.for", 10*time.Minute, "how long to attack; each attack is made at least once")
	chaosSeed = flag.Uint64("chaos.seed", 0, "what decides the order and the details of the attacks; 0 for a fresh one")
	chaosOnly = flag.String("chaos.only", "", "make only the attacks whose names match this regular expression")
)

const (
	chaosTasks = 3
	// chaosDisk is the size of the file system that the installation is on.
	chaosDisk = "size=3g"
)

var chaosRate = vegeta.Rate{Freq: 500, Per: time.Second}

// attack is one failure or attack.
type attack struct {
	name string
	// mayFail: requests to the service may fail, because what answers them is
	// attacked.
	mayFail bool
	run     func(c *chaos)
}

// chaos is a service under load, a user who calls the API all the time, and the
// attacks.
type chaos struct {
	*rollout
	name  string // of the load balancer
	disk  string // where the installation's file system is mounted
	rng   *rand.Rand
	user  *user
	notes []string // of the attack under way, for the table
}

// TestChaos makes one attack after another for some minutes, while a service answers
// requests and a user calls the API. After each attack the service must be as before,
// nothing that was acknowledged may be lost or done twice, and no request may have
// failed but those with what was attacked. In the end nothing may be left on the
// machine. It prints a table.
func TestChaos(t *testing.T) {
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-chaos.seed=%d", seed)
	c := newChaos(t, rand.New(rand.NewPCG(seed, 0)))
	end := time.Now().Add(*chaosFor)
	only := regexp.MustCompile(*chaosOnly)
	attacks := slices.DeleteFunc(slices.Concat(killAttacks, damageAttacks, fillAttacks, craftAttacks, imageAttacks), func(a attack) bool {
		return !only.MatchString(a.name)
	})
	var table [][]string
	for round := 0; round < len(attacks) || time.Now().Before(end); round++ {
		if round%len(attacks) == 0 {
			c.rng.Shuffle(len(attacks), func(i, j int) { attacks[i], attacks[j] = attacks[j], attacks[i] })
		}
		table = append(table, c.attack(attacks[round%len(attacks)]))
		if t.Failed() {
			break
		}
	}
	c.user.stop()
	t.Log("\n" + draw(table))
	t.Logf("%s", c.user.summary())
}

func newChaos(t *testing.T, rng *rand.Rand) *chaos {
	disk := t.TempDir()
	if err := syscall.Mount("fargo-chaos", disk, "tmpfs", 0, chaosDisk); err != nil {
		t.Fatalf("mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount %s: %v", disk, err)
		}
	})
	c := &chaos{rollout: newRolloutIn(t, filepath.Join(disk, "fargo-e2e-chaos")), disk: disk, rng: rng}
	c.shell(`. "$LIB/roles.sh"; . "$LIB/image.sh"; aws ecs create-cluster --cluster-name kubedojo-exercise >/dev/null`)
	c.name = c.shell(`. "$LIB/balancer.sh"`)
	c.shell(`. "$LIB/revision.sh"`, "v1")
	c.shell(`. "$LIB/service.sh"`, fmt.Sprint(chaosTasks))
	c.settled()
	c.user = startUser(c)
	return c
}

// settled waits until the service is as it should be.
func (c *chaos) settled() {
	c.t.Helper()
	c.eventually(fmt.Sprintf("ecs-exercise:1 COMPLETED 1 %d", chaosTasks))
	c.healthy(chaosTasks)
}

// attack makes one attack and checks its effects. It returns the table's row.
func (c *chaos) attack(a attack) []string {
	began := time.Now()
	c.notes = nil
	c.t.Logf("attack: %s", a.name)
	load := startLoad(c.t, c.in, c.name, chaosRate)
	calls := c.user.counts()
	a.run(c)
	c.settled()
	failed := load.stop(0)
	failures := 0
	for _, n := range failed {
		failures += n
	}
	if failures > 0 && !a.mayFail {
		c.t.Errorf("%s: requests failed: %v", a.name, failed)
	}
	c.user.verify(a.name)
	c.noneLeft(a.name)
	now := c.user.counts()
	return []string{
		a.name, time.Since(began).Round(time.Second).String(),
		fmt.Sprint(load.metrics.Requests), fmt.Sprint(failures),
		fmt.Sprint(now.acknowledged - calls.acknowledged), fmt.Sprint(now.unanswered - calls.unanswered),
		strings.Join(c.notes, "; "),
	}
}

// sparesMost is how many shims the node keeps ready for tasks to come.
const sparesMost = 2

// noneLeft waits until there are no more shims and control groups than tasks need.
func (c *chaos) noneLeft(name string) {
	c.t.Helper()
	c.user.paused.Lock()
	defer c.user.paused.Unlock()
	c.wait(func() error {
		shims, err := c.in.processes("shims")
		if err != nil {
			return err
		}
		tasks, err := c.user.running()
		if err != nil {
			return err
		}
		if groups := c.in.taskGroups(); len(groups) != tasks || len(shims) < tasks || len(shims) > tasks+sparesMost {
			return fmt.Errorf("after %s: %d tasks, shims %v, control groups %v", name, tasks, shims, groups)
		}
		return nil
	})
}

// taskGroups are the tasks' control groups, in the hierarchy that has memory.
func (in *installation) taskGroups() (names []string) {
	for _, pattern := range []string{"/sys/fs/cgroup/memory/fargo-%s/*/tasks", "/sys/fs/cgroup/fargo-%s/*/cgroup.procs"} {
		found, _ := filepath.Glob(fmt.Sprintf(pattern, in.id)) // the pattern is good
		for _, path := range found {
			names = append(names, filepath.Base(filepath.Dir(path)))
		}
	}
	return names
}

func (c *chaos) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// pause waits for a random time of at most d.
func (c *chaos) pause(d time.Duration) {
	<-time.After(time.Duration(c.rng.Int64N(int64(d))))
}

// draw formats a table.
func draw(rows [][]string) string {
	rows = append([][]string{{"attack", "took", "requests", "failed", "acknowledged", "unanswered", "notes"}}, rows...)
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(&out, "%-*s  ", widths[i], cell)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// upLog is what up has logged since the last call.
func (c *chaos) upLog(from int64) (string, int64) {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.in.logs, ".up.log"))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b[min(from, int64(len(b))):]), int64(len(b))
}
