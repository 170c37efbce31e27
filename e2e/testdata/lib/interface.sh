# Prints the id of the network interface of the task $1.
aws ecs describe-tasks --cluster production --tasks "$1" --output text \
  --query "tasks[0].attachments[0].details[?name=='networkInterfaceId'].value | [0]"
