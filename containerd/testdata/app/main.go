// Command app is the whole content of the test images: one program that does
// what a test wants to see done in a container.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"idle"}
	}
	switch args[0] {
	case "idle": // until SIGTERM, then exit 0
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM)
		fmt.Println("ready")
		<-ended
		fmt.Println("bye")
	case "deaf": // to SIGTERM
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	case "exit":
		os.Exit(number(args[1]))
	case "say":
		_, err := fmt.Println(strings.Join(args[1:], " "))
		fail(err)
		_, err = fmt.Fprintln(os.Stderr, "and on stderr")
		fail(err)
	case "eat": // memory, until the kernel minds
		var eaten [][]byte
		for {
			block := make([]byte, 1<<20)
			for i := range block {
				block[i] = byte(i)
			}
			eaten = append(eaten, block)
			if len(eaten) > 4096 {
				panic("nobody minds")
			}
		}
	case "facts":
		facts()
	case "filtered": // what the system call filter says
		filtered()
	case "hostile": // what must not be done
		hostile(args[1:])
	case "write":
		fail(os.WriteFile(args[1], []byte(args[2]), 0o644))
	case "fill": // a file with as many MiB, and stays
		fail(os.WriteFile(args[1], make([]byte, number(args[2])<<20), 0o644))
		fmt.Println("filled")
		time.Sleep(time.Hour)
	case "read":
		content, err := os.ReadFile(args[1])
		fail(err)
		fmt.Print(string(content))
	case "cat":
		_, err := io.Copy(os.Stdout, os.Stdin)
		fail(err)
	case "orphan": // leaves a child behind that nobody waits for, then idles
		_, err := syscall.ForkExec("/app", []string{"/app", "fork-and-exit"}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}})
		fail(err)
		main2("idle")
	case "background": // leaves a child that is deaf, and does the rest
		_, err := syscall.ForkExec("/app", []string{"/app", "deaf"}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}})
		fail(err)
		main2(args[1:]...)
	case "fork-and-exit":
		_, err := syscall.ForkExec("/app", []string{"/app", "exit", "0"}, &syscall.ProcAttr{})
		fail(err)
	case "size": // of the terminal, once it has one
		for {
			size, err := unix.IoctlGetWinsize(1, unix.TIOCGWINSZ)
			fail(err)
			if size.Col > 0 {
				fmt.Printf("%dx%d\n", size.Col, size.Row)
				return
			}
			time.Sleep(time.Millisecond)
		}
	case "bomb": // starts copies of itself for ever, and so do they
		signal.Ignore(syscall.SIGTERM)
		for {
			_, _ = syscall.ForkExec("/app", []string{"/app", "bomb"}, &syscall.ProcAttr{})
		}
	case "tick": // a line now and then, for as long as it lives
		for i := 0; ; i++ {
			fmt.Println("tick", i)
			time.Sleep(10 * time.Millisecond)
		}
	default:
		fmt.Fprintln(os.Stderr, "what is", args[0])
		os.Exit(2)
	}
}

func main2(args ...string) {
	os.Args = append(os.Args[:1], args...)
	main()
}

func facts() {
	groups, err := os.Getgroups()
	fail(err)
	host, err := os.Hostname()
	fail(err)
	cwd, err := os.Getwd()
	fail(err)
	var files unix.Rlimit
	fail(unix.Getrlimit(unix.RLIMIT_NOFILE, &files))
	fmt.Printf("pid=%d uid=%d gid=%d groups=%v\n", os.Getpid(), os.Getuid(), os.Getgid(), groups)
	fmt.Printf("host=%s cwd=%s nofile=%d\n", host, cwd, files.Max) // Go raises its own soft limit
	status, err := os.ReadFile("/proc/self/status")
	fail(err)
	for line := range strings.Lines(string(status)) {
		for _, name := range []string{"CapEff", "CapBnd", "Seccomp:", "NoNewPrivs"} {
			if strings.HasPrefix(line, name) {
				fmt.Print(strings.Join(strings.Fields(line), ""), " ")
			}
		}
	}
	fmt.Println()
	for _, entry := range os.Environ() {
		fmt.Println("env", entry)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	fail(err)
	return n
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// filtered tries system calls by their numbers, none of which would do anything.
func filtered() {
	const unknown = 2000
	for _, try := range []struct {
		name   string
		number uintptr
		first  uintptr
	}{
		{"getpid", unix.SYS_GETPID, 0},
		{"socket AF_UNIX", unix.SYS_SOCKET, unix.AF_UNIX},
		{"socket AF_ALG", unix.SYS_SOCKET, unix.AF_ALG},
		{"personality 0", unix.SYS_PERSONALITY, 0},
		{"personality 1", unix.SYS_PERSONALITY, 1},
		{"add_key", unix.SYS_ADD_KEY, 0},
		{"clone3", unix.SYS_CLONE3, 0},
		{"unknown", unknown, 0},
	} {
		_, _, err := unix.Syscall(try.number, try.first, unix.SOCK_STREAM, 0)
		fmt.Printf("%s: %s\n", try.name, unix.ErrnoName(err))
	}
	fmt.Println("tried")
}
