// Package e2e has the end-to-end tests: scripts that run the real fargo binary and
// unmodified AWS clients with real containers, network namespaces and nftables, as
// root. It uses only the command line and the network protocols, and compares the
// machine before and after; it imports no other package of this module.
//
// The scripts in testdata are named by what they test. Those in clients run with
// each version of the aws command that the machine has, those in registry and
// machine once, and those in terraform where Terraform and its AWS provider are found
// (TERRAFORM_MIRROR). Each has an installation of its own, which is removed with
// fargo down --purge; nothing of it may then be left on the machine. Other
// installations may come and go meanwhile.
//
// The client is loaded once for many commands: see preload_test.go. Its code is the same,
// and where it cannot be done, or a command runs in other namespaces, it is started for
// each.
//
// TestReadme runs the commands of README.md, those behind "$ ", and compares what they
// print with what is shown there.
//
// make chaos runs TestChaos, which make test does not. For some minutes it attacks one
// installation: it kills processes, damages files, fills the disk and sends malicious
// requests and images. After each attack it checks that nothing was lost, done twice,
// left behind or failed.
//
// # Commands of a script
//
// In addition to those of testscript:
//
//	aws arg...                       the client, with the environment of fargo env
//	run file [arg...]                a bash script, after eval "$(fargo env)"
//	up [arg...]                      start the control plane and wait until it is ready
//	signal name                      send up a signal and wait until it has ended
//	sigkill process...               kill -9 each of: control, node, balancers, containerd, shims
//	down [arg...]                    fargo down, after which up has ended
//	eventually deadline command...   repeat until the command succeeds
//	matches regexp command...        succeed when the command's output matches
//	capture name command...          keep the trimmed output in a variable
//	registry name password           start a registry with a login; its address is in PRIVATE
//
// A script starts with Fargo up, and with DATA (the data directory), RUNDIR
// (/run/fargo-…), REGISTRY (the host and port of the APIs and the registry), IMAGE
// (the example image, an OCI archive) and LIB (testdata/lib, shell scripts that
// several scripts run) set. Where the machine has no docker or dockerd, it finds
// those that make unpacked below build.
package e2e
