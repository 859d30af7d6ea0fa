"""What this machine has and lacks for the job, and what is wrong in a running graph, with remedies.

No check needs what it looks for: the doctor runs where ROS, MuJoCo or torch are absent or broken.
"""

from latentplan_ros.bringup.doctor.finding import Finding, Status
from latentplan_ros.bringup.doctor.report import diagnose, doctor

__all__ = ["Finding", "Status", "diagnose", "doctor"]
