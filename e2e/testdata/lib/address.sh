# Prints the private address of the task $1.
aws ecs describe-tasks --cluster production --tasks "$1" \
  --query 'tasks[0].containers[0].networkInterfaces[0].privateIpv4Address' --output text
