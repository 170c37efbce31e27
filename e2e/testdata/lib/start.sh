# Runs one api-service task in the cluster production with the security groups
# given, and prints its ARN.
subnets=$(aws ec2 describe-subnets --query 'Subnets[].SubnetId' --output text | tr '\t' ,)
groups=$(IFS=,; echo "$*")
aws ecs run-task --cluster production --task-definition api-service --launch-type FARGATE \
  --network-configuration "awsvpcConfiguration={subnets=[$subnets],securityGroups=[$groups],assignPublicIp=DISABLED}" \
  --query 'tasks[0].taskArn' --output text
