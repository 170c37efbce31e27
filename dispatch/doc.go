// Package dispatch is the connection between the control plane and its nodes. It
// carries the desired state down, reports and log events up, and notices when the
// other side no longer answers.
//
// A node opens one Session. The control plane sends the whole of what the node
// should be doing, then what changed. The node sends its reports, all of them
// after each reconnect; a batch of task reports is acknowledged once the control
// plane has committed it. What cannot be committed ends the session, and the node
// sends all of it again.
//
// Secrets travel apart from all else: a node asks for each that it needs, on the
// connection of its session, and gets those that something it is assigned names.
//
// The package refuses to know what a task is, what is done with a report, and how
// anything is stored: the messages of package desired travel as they are, as JSON.
// A node whose version of them is too far from the control plane's is refused; one
// that is a version older or newer is served, with messages translated for it.
package dispatch

import (
	"context"

	"fargo/desired"
	"fargo/secret"
)

// Plane is what a [Server] needs of the control plane. All methods may be
// called from several goroutines.
type Plane interface {
	// Hello registers a node that has opened a session, before any other call for it.
	// The session lasts as long as ctx.
	Hello(ctx context.Context, h desired.Hello) error

	// ReportEmpty says that node has no tasks and no interfaces of load balancers. It
	// is called at most once in a session.
	ReportEmpty(ctx context.Context, node string) error

	// Follow calls send with all that node should be doing, as a delta from
	// nothing, and then with what leads from there to what it should be doing
	// next, until ctx ends or send fails. Changes that come while send is busy
	// are sent as one. It returns the error that ended it, ctx's included.
	Follow(ctx context.Context, node string, send func(desired.Delta) error) error

	// Report commits what node has seen. The same reports may come again, and
	// an older one after a newer, when a session is replaced by another. After
	// an error the session ends and the node sends all of it again.
	Report(ctx context.Context, node string, reports []desired.TaskReport) error

	// ReportTargets commits what node has seen of the targets it checks, under
	// the same terms as Report.
	ReportTargets(ctx context.Context, node string, reports []desired.TargetReport) error

	// OpenLog makes sure that the group and stream of target are there, and
	// creates them where it should. The text of an error is what ECS would show
	// as the task's stopped reason.
	OpenLog(ctx context.Context, target desired.LogTarget) error

	// Secret gives a secret that something which node should be doing names.
	// errdefs.IsNotFound holds for the error when nothing does. The text of an error
	// for which neither it nor errdefs.IsUnavailable holds is what ECS would show as
	// the reason that a task stopped.
	Secret(ctx context.Context, node string, id desired.SecretID) (secret.Text, error)

	// TaskTags gives the tags of a task that node should be running. errdefs.IsNotFound
	// holds for the error when it should not.
	TaskTags(ctx context.Context, node, taskARN string) (map[string]string, error)

	// NextInvocation gives what a task that node is running, and that runs a function, is
	// to do. It waits for a while, and errdefs.IsUnavailable holds for the error when
	// there has been nothing. errdefs.IsNotFound holds when the task runs no function.
	NextInvocation(ctx context.Context, node, taskARN string) (desired.Invocation, error)

	// PutInvocationResult says how an invocation has ended. The same result may come
	// again. Errors are as those of NextInvocation.
	PutInvocationResult(ctx context.Context, node string, r desired.InvocationResult) error

	// AppendLogs commits a batch and answers the position it now holds for the
	// batch's source. A batch whose From is before that position is ignored, as
	// the sender will come again from the position answered. An error for which
	// errdefs.IsNotFound holds says that group or stream are gone.
	AppendLogs(ctx context.Context, batch desired.LogBatch) (to int64, err error)

	// PutLogObject puts a load balancer's log into its bucket. The same object may come
	// again. errdefs.IsNotFound holds for the error when the bucket does not take it.
	PutLogObject(ctx context.Context, o desired.LogObject) error

	// PutMeasurements takes what node has measured. What comes again says nothing.
	PutMeasurements(ctx context.Context, node string, m desired.Measurements) error

	// ReportExecSession commits what node has seen of a session of ECS Exec. The same
	// report may come again. One of a session that is not the node's says nothing.
	ReportExecSession(ctx context.Context, node string, r desired.ExecSessionReport) error

	// PutExecTranscript puts what the client of a session was shown where the cluster says.
	// The same one may come again. errdefs.IsNotFound holds for the error when there is no
	// such session of the node; any other, for which errdefs.IsUnavailable does not hold
	// either, is a refusal.
	PutExecTranscript(ctx context.Context, node string, t desired.ExecTranscript) error

	// DecryptExecKey decrypts the data key of a session of node. Errors are as with
	// PutExecTranscript.
	DecryptExecKey(ctx context.Context, node string, k desired.ExecKey) (secret.Text, error)
}

// Node is what a [Client] needs of its node. No method blocks.
type Node interface {
	// Assign replaces all that the node should be doing. The node may keep the
	// value and does not change it.
	Assign(desired.State)

	// Reports gives the tasks whose report changed after version (all of them
	// for 0), the version they are of, and a channel that is closed when there
	// is something newer.
	Reports(version uint64) (reports []desired.TaskReport, now uint64, newer <-chan struct{})

	// Acknowledged says that all reports up to version are committed.
	Acknowledged(version uint64)

	// Empty reports whether the node holds nothing of tasks or load balancers, nor
	// is to, and gives a channel that is closed when the answer may be another.
	Empty() (empty bool, changed <-chan struct{})
}

// Targets is what a [Client] needs of the checker of the node's targets.
type Targets interface {
	// Health gives all that is known of targets, and a channel that is closed
	// when there is something newer. It does not block.
	Health() (reports []desired.TargetReport, newer <-chan struct{})
}
