// Package process runs the processes that outlive the one that started them. Each
// has a session and a log of its own, and holds a lock on a file while it runs:
// the lock says whether there is a process already, which build it is of, and so
// whether it is adopted, replaced or started.
//
// A [Supervisor] keeps one such process running; a [Pool] has several, each with a
// control socket. The package knows process ids, pidfds, file locks and signals. It
// does not know what the processes do, nor where an installation keeps its files.
package process
