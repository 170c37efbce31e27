# All that one running api-service task needs, and the task: prints its ARN.
. "$LIB/roles.sh"
. "$LIB/image.sh"
aws logs create-log-group --log-group-name /ecs/api-service
aws ecs create-cluster --cluster-name production >/dev/null
. "$LIB/definition.sh" >/dev/null
set -- open --cidr 0.0.0.0/0
group=$(. "$LIB/group.sh")
set -- "$group"
task=$(. "$LIB/start.sh")
# The waiter of the clients would look every six seconds.
until
  status=$(aws ecs describe-tasks --cluster production --tasks "$task" --query 'tasks[0].lastStatus' --output text)
  [[ $status == RUNNING ]]
do
  [[ $status != STOPPED ]] || exit 1
  sleep 0.1
done
echo "$task"
