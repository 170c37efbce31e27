// Package session is the data channel of Systems Manager's Session Manager, both ends of
// it: the agent's, which has a command in a container, and the client's, which has a
// terminal. It knows the binary messages and their digests, the handshake, order,
// acknowledgement and retransmission in both directions, how a session goes on over the
// next connection when one is lost, and the encryption with a data key of KMS. It does
// not know who may open a session, what a command is, or where its output is recorded.
//
// AWS's own session-manager-plugin is the client that decides what is right; its source
// and that of amazon-ssm-agent are where the times, sizes and texts are from.
//
// # What is kept
//
// Each end keeps what it has sent until it is acknowledged, half a megabyte at most: then
// a command waits to write, and what is typed waits to be read. What has come and is not
// used yet is acknowledged at once up to a quarter of one, and what comes on top when it
// is used.
//
// # The next connection
//
// The sequence numbers go on, and all that is not acknowledged is sent again. AWS's plugin
// does not acknowledge again what it had before: see the field silent of sender.
//
// # Two ends of ours
//
// AWS's plugin never learns the exit code of a command with a terminal, and always has a
// terminal. A client of ours adds two actions to its answer to the handshake, without
// having been asked: ExitCode, that it wants the code, and NoTerminal, that the command
// is to have pipes. An agent that does not know them goes on without. AWS's plugin
// is offered neither.
package session
