"""What makes a course of the package: what chapters and classes need around it.

    announcement.py    what the first cell of a chapter says
    checking.py        check cells: what is right or wrong about an exercise's answer
    commands.py        what each command of the command line does
    doctor.py          is this machine ready?
    doctor_apart.py    the same in another process, which may die of it
    doctor_report.py   what the doctor has to say
    plans.py           a class's plan; chapters.csv: how long each chapter takes
    terminal.py        what commands print on

Nothing is imported here: the doctor runs on machines on which NumPy or Keras does not.
"""
