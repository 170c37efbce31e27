// Package e2e is opening night: scripts that run the real fargo binary and
// unmodified AWS clients against real containers, network namespaces and
// nftables, as root. It knows Fargo from outside only: the command line, the
// wire, and what the machine looks like before and after; it imports no room.
//
// The scripts in testdata are named by what they prove. Those in clients run
// once with every aws command of another version that the machine has, those in
// registry and machine once, and those in terraform where Terraform and its AWS
// provider are found (TERRAFORM_MIRROR). Each gets an installation of its own,
// which is torn down with fargo down --purge; the machine must then be as it was.
//
// TestReadme types the commands of README.md, those behind "$ ", and compares what
// they print with what is shown there.
//
// make chaos runs TestChaos, which make test does not: for some minutes it kills,
// damages, fills and crafts, one attack after another, and looks each time whether
// anything was lost, done twice, left behind or failed.
//
// # Commands of a script
//
// Beside those of testscript itself:
//
//	aws arg...                       the client, with the environment of fargo env
//	run file [arg...]                a bash script, after eval "$(fargo env)"
//	up [arg...]                      start the control plane and wait until it is ready
//	signal name                      send up a signal and wait until it has ended
//	sigkill process...               kill -9 each of: control, node, balancers, containerd, shims
//	down [arg...]                    fargo down, after which up is gone
//	eventually deadline command...   repeat until the command succeeds
//	matches regexp command...        succeed when the command's output matches
//	capture name command...          keep the trimmed output in a variable
//
// A script starts with Fargo up, and with DATA (the data directory), RUNDIR
// (/run/fargo-…), REGISTRY (the host and port of the APIs and the registry), IMAGE
// (the example image, an OCI archive) and LIB (testdata/lib, shell scripts that
// several scripts run) set. Where the machine has no docker or dockerd, it finds
// those that make unpacked below build.
package e2e
