# Makes the exercise's service of $1 tasks behind the load balancer that
# balancer.sh made.
. ./balancer.env
aws ecs create-service \
  --cluster kubedojo-exercise \
  --service-name api-service \
  --task-definition ecs-exercise:1 \
  --desired-count "$1" \
  --launch-type FARGATE \
  --network-configuration '{
    "awsvpcConfiguration": {
      "subnets": ["'"${SUBNETS//,/\",\"}"'"],
      "securityGroups": ["'"${TASK_SG}"'"],
      "assignPublicIp": "DISABLED"
    }
  }' \
  --load-balancers '[{
    "targetGroupArn": "'"${TG_ARN}"'",
    "containerName": "api",
    "containerPort": 8080
  }]' \
  --enable-execute-command \
  --deployment-configuration '{
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "deploymentCircuitBreaker": {"enable": true, "rollback": true}
  }' >/dev/null
