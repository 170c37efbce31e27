package control

// Controllers are all there are, in the order they are asked.
func Controllers(images Images) []Controller {
	return []Controller{
		Tasks(images),
		TaskDefinitions(),
		RunTaskTokens(),
	}
}
