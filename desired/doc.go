// Package desired is the contract between the control plane and nodes: what a node
// should be doing ([State], and [Delta] from one to the next), and what it reports
// of that ([TaskReport], [TargetReport], [LogBatch]). It has the messages and the
// pure arithmetic of their differences. No message of those has a secret in it: what
// needs one names it ([SecretID]), and the node asks for it ([Secret]). The package
// refuses to know how they travel, what
// the control plane keeps, and how a node does what is desired.
//
// # Compatibility
//
// A node and a control plane understand each other when their [Version]s differ by
// one at most, in either direction, so that either can be replaced first. Therefore
//
//   - a field is never given another meaning, type or name;
//   - a new field means, when it is absent, what was meant before there was one;
//   - a field is removed only two versions after the last that needed it.
//
// Where an older side still needs what has been removed, the translation is in a file of
// its own, and goes when no compatible version needs it. There is none now.
//
// The versions:
//
//	1  the first that a side names
//	2  passwords of registries and keys of certificates are named and asked for;
//	   before they were inside
//	3  what an interface reaches is said by its subnet, which names a route table and a
//	   network ACL; before by the interface alone ([Interface.Internet], which a node of
//	   version 2 goes by)
//	4  containers are given secrets in their environment
//	   ([ContainerAssignment.Secrets], [ContainerAssignment.EnvironmentFiles]), and
//	   images are pulled with a user's own credentials ([PullSource.CredentialsID])
//	5  output waits within bounds ([ContainerAssignment.LogBuffer]), and goes to log
//	   routers ([ContainerAssignment.Route]); tasks have volumes in file systems
//	   ([Assignment.FileSystems]), whose files go when they are deleted
//	   ([State.DeletedFileSystems]), and volumes of their own
//	   ([Assignment.BlockVolumes]); what they write elsewhere is limited
//	   ([Assignment.Storage])
//	6  nodes serve the sessions of ECS Exec ([State.ExecSessions]), where they say that
//	   they do ([Hello.DataChannels])
//	7  nodes measure what tasks use and load balancers do ([Measurements])
//
// Messages are JSON, of which either side leaves out what it does not know. The list
// of all fields is in testdata/contract.txt; a test fails when one is missing from
// it or has changed.
package desired

// Version is that of the contract as this package has it. It goes up by one with a
// change that an older side must not miss. A side that names none has version 0.
const Version = 7

// Compatible reports whether a side of another version can be worked with.
func Compatible(other int) bool { return other >= Version-1 && other <= Version+1 }
