// Package session is the data channel of Systems Manager's Session Manager, both ends of
// it: the agent's, which has a command in a container, and the client's, which has a
// terminal. It knows the binary messages and their digests, the handshake, order,
// acknowledgement and retransmission in both directions, how a session goes on over the
// next connection when one is lost, and the encryption with a data key of KMS. It does
// not know who may open a session, what a command is, or where its output is recorded.
//
// AWS's own session-manager-plugin is the client that decides what is right; its source
// and that of amazon-ssm-agent are where the times, sizes and texts are from.
package session
