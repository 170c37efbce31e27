package containerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"fargo/process"
)

// sweep ends and removes all that a daemon which does not run has left in
// StateDir, without asking anybody what it is: shims, containers, mounts, files.
// The error says what could not be removed.
func (d *Daemon) sweep(ctx context.Context) error {
	// Nobody who makes containers first, then the containers.
	err := d.endProcesses(ctx)
	err = errors.Join(err, d.endContainers(ctx))
	if err := errors.Join(err, UnmountBelow(d.StateDir)); err != nil {
		return err
	}
	entries, err := os.ReadDir(d.StateDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if entry.Name() != startLock && entry.Name() != lifeLock {
			err = errors.Join(err, os.RemoveAll(filepath.Join(d.StateDir, entry.Name())))
		}
	}
	return err
}

// endProcesses kills the daemons, shims and runcs that are ours, and waits for
// their ends.
func (d *Daemon) endProcesses(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	for {
		pids, err := d.processes()
		if err != nil || len(pids) == 0 {
			return err
		}
		killed := make([]*process.Process, len(pids))
		for i, pid := range pids {
			if killed[i], err = process.Open(pid); err == nil {
				err = killed[i].Signal(unix.SIGKILL)
			}
			if err != nil {
				return err
			}
		}
		for _, p := range killed {
			if err := p.Wait(ctx); err != nil {
				return fmt.Errorf("process %d does not end: %w", p.PID(), err)
			}
		}
	}
}

// processes finds the daemons, shims and runcs that are ours: they have our
// directory in their command lines.
func (d *Daemon) processes() (pids []int, err error) {
	programs := []string{filepath.Base(d.Binaries.Containerd), filepath.Base(d.Binaries.Shim), filepath.Base(d.Binaries.Runc)}
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return nil, err
	}
	for _, link := range links {
		program, err := os.Readlink(link)
		if err != nil || !slices.Contains(programs, strings.TrimSuffix(filepath.Base(program), " (deleted)")) {
			continue // it has ended, or is not ours
		}
		line, err := os.ReadFile(filepath.Join(filepath.Dir(link), "cmdline"))
		if err != nil || !bytes.Contains(line, []byte("\x00"+d.StateDir+"/")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// endContainers has runc kill and forget every container that it knows.
func (d *Daemon) endContainers(ctx context.Context) error {
	records, err := filepath.Glob(filepath.Join(runcRoot(d.StateDir), "*", "*"))
	if err != nil {
		return err
	}
	var failed []error
	for _, record := range records {
		failed = append(failed, runcDelete(ctx, d.Binaries.Runc, record))
	}
	return errors.Join(failed...)
}

// runcDelete has runc kill and forget one container, whose record is a directory
// in a root of its own.
func runcDelete(ctx context.Context, runc, record string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*killTimeout)
	defer cancel()
	root, id := filepath.Split(record)
	output, err := exec.CommandContext(ctx, runc, "--root", filepath.Clean(root), "delete", "--force", id).CombinedOutput()
	if err != nil {
		return fmt.Errorf("runc delete %s: %w: %s", id, err, output)
	}
	return nil
}

// UnmountBelow takes away every mount below directories: what processes that were
// killed halfway left. The error says which it could not.
func UnmountBelow(dirs ...string) error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var failed []error
	lines := strings.Split(string(info), "\n")
	for _, line := range slices.Backward(lines) { // later ones may be on top of earlier ones
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		point := unescapeMount(fields[4])
		if !slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(point, dir+"/") }) {
			continue
		}
		if err := unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) {
			failed = append(failed, fmt.Errorf("unmount %s: %w", point, err))
		}
	}
	return errors.Join(failed...)
}

// unescapeMount undoes how the kernel writes a path. Source: proc(5), mountinfo.
func unescapeMount(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
