// Package registry is the OCI registry behind ECR: what docker, podman, skopeo,
// crane and containerd push to and pull from, under /v2/.
//
// [Storage] keeps blobs (layers, configurations, manifests) on disk in the
// layout of the distribution project, whose code reads, writes and verifies
// them. [Server] speaks the protocol: it knows who asks, what they may do and
// which error they understand, and hands uploads and layers to distribution's
// own handler.
//
// It refuses to know what a repository or a tag is: those are records, kept by
// the [Catalog], and the records are the truth. A blob on disk that no record
// leads to does not exist for a client and is removed by [Storage.Collect] in
// its own time; a record is written only after everything it leads to is
// durable. So a crash between the two leaves rubbish, never a broken image.
//
// # Names
//
// A client says "myapp/api". Whose repository that is follows from its password
// (which GetAuthorizationToken gave to a principal in an account and region),
// or from the host it believes to be talking to, when that is the name of an
// ECR registry: containerd sends it along as ?ns= when it has been redirected
// here. On disk the repository is "<account>/<region>/myapp/api".
//
// Sources: OCI Distribution Specification 1.1; ECR user guide, "Private
// registry authentication" and "Common error messages for Docker commands".
package registry
