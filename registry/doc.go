// Package registry is the OCI registry behind ECR: what docker, podman, skopeo,
// crane and containerd push to and pull from, under /v2/.
//
// [Storage] keeps blobs (layers, configurations, manifests) on disk in the
// layout of the distribution project, whose code reads, writes and verifies
// them. [Server] implements the protocol: authentication, authorization and the
// translation of errors. It hands uploads and layers over to distribution's handler.
//
// Repositories and tags are records of the [Catalog], which alone decide what exists.
// A blob that no record refers to does not exist for a client, and is removed by
// [Storage.Collect] later. A record is written only after everything it refers to is
// durable. So a crash between the two leaves an unused blob, never a broken image.
//
// # Names
//
// A client names a repository as "myapp/api". Its account and region are those of the
// client's password (which GetAuthorizationToken gave to a principal), or those in the
// host name, when that is the name of an ECR registry: containerd sends it as ?ns= when
// its requests are redirected here. On disk the repository is "<account>/<region>/myapp/api".
//
// Sources: OCI Distribution Specification 1.1; ECR user guide, "Private
// registry authentication" and "Common error messages for Docker commands".
package registry
