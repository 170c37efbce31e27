package plan

import (
	"maps"
	"strings"

	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
)

// ImagesToResolve are the names, by container, that all tasks of a deployment
// must understand in the same way, whatever becomes of their tags: each with the
// digest that known gives for it, or "" when the first task must find out. A name
// that has its digest needs no resolving, and the user may want a container's to be
// resolved by each task.
// Source: ECS developer guide, "Container image resolution" and
// ContainerDefinition.versionConsistency.
func ImagesToResolve(d *ecs.TaskDefinition, known func(image string) (digest string)) map[string]string {
	out := map[string]string{}
	for i := range d.ContainerDefinitions {
		c := &d.ContainerDefinitions[i]
		if c.VersionConsistency != ecs.VersionConsistencyDisabled && !strings.Contains(aws.Value(c.Image), "@") {
			out[*c.Name] = known(aws.Value(c.Image))
		}
	}
	return out
}

// resolveImages takes over from a task which images its names meant, where the
// deployment does not know it yet.
func resolveImages(d *record.Deployment, t *record.Task) {
	if t.Report == nil {
		return
	}
	for _, c := range t.Report.Containers {
		if digest, wanted := d.Digests[c.Name]; wanted && digest == "" && c.ImageDigest != "" {
			d.Digests = maps.Clone(d.Digests)
			d.Digests[c.Name] = c.ImageDigest
		}
	}
}

// Revision is a deployment's revision with the images that its names mean, as far
// as that is known.
func Revision(d *record.Deployment) ecs.ServiceRevision {
	r := d.Revision
	r.ContainerImages = nil
	for _, image := range d.Revision.ContainerImages {
		if digest := d.Digests[*image.ContainerName]; digest != "" {
			image.ImageDigest = &digest
		} else if _, digest, pinned := strings.Cut(*image.Image, "@"); pinned {
			image.ImageDigest = &digest
		}
		r.ContainerImages = append(r.ContainerImages, image)
	}
	return r
}

// KnownDigests are those of the containers whose images are known.
func KnownDigests(digests map[string]string) map[string]string {
	known := maps.Clone(digests)
	maps.DeleteFunc(known, func(_, digest string) bool { return digest == "" })
	return known
}
