"""What makes a course of the package: what chapters begin and end with, and what a
class needs around them.

    announcement.py   what the first cell of a chapter says
    checking.py       check cells: what is right or wrong about an exercise's answer
    doctor.py         is this machine ready? doctor_apart.py tries it in another process, doctor_report.py tells
    plans.py          a class's plan; chapters.csv: how long each chapter takes
    terminal.py       what commands print on

Nothing is imported here: the doctor runs on machines on which NumPy or Keras does not.
"""
